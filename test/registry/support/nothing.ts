/** Parts that a test does not need. */
import { Problem } from '../../../platform/errors.js';
import type { Assets } from '../../../subgraphs/images/asset-client.js';
import type { Memberships } from '../../../subgraphs/registry/grant/memberships.js';
import type { VerifierSharing } from '../../../subgraphs/registry/verifier/sharing.js';

export const NO_TEAMS: Memberships = { teamsOf: async () => [] };

export const NOTHING_SHARED: VerifierSharing = { roleOf: async () => null, named: async () => [] };

const unavailable = () => Promise.reject(new Problem('unavailable'));

export const NO_ASSETS: Assets = {
  keepOutput: unavailable,
  keepInput: unavailable,
  readInput: unavailable,
  keepInputsUntil: unavailable,
  drop: unavailable,
  read: unavailable,
  find: unavailable,
  open: unavailable,
};
