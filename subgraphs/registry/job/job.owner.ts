/** Whose a job is: a tenant's, or that of the network it was asked for from, where nobody has an account. */
import type { Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';

/** An address is personal: what is kept is a keyed hash, from which nobody learns it. */
export function jobOwner(secrets: Secrets, { caller, network }: Scope): string {
  return caller ? caller.tenantId : `net_${secrets.mac('job-network', network)}`;
}
