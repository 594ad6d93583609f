import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Events } from '../../platform/events.js';
import type { Mailer } from '../../platform/mail.js';
import type { Secrets } from '../../platform/secrets.js';
import type { Ownerships } from '../registry/ownership/ownerships.js';

export interface AccountsSettings {
  publicUrl: string;
  codeTtlSeconds: number;
  /** Codes in 15 minutes; 0 switches the limit off. */
  codesPerEmail: number;
  codesPerAddress: number;
  invitationTtlDays: number;
  /** Reserved in addition to the built-in list. */
  reservedHandles: readonly string[];
  /** Applications that one network may register in an hour, and devices that it may let in; 0 switches the limit off. */
  oauthClientsPerHour: number;
  /** How often a minute one user may name other users; 0 switches the limit off. */
  userLookupsPerMinute: number;
  keysPerUser: number;
  tenantsPerUser: number;
  teamsPerUser: number;
  membersPerTeam: number;
  pendingInvitationsPerUser: number;
}

export interface AccountsDeps {
  db: Db;
  secrets: Secrets;
  mailer: Mailer;
  events: Events;
  /** Where workflows and templates change hands. */
  ownerships: Ownerships;
  log: Logger;
  settings: AccountsSettings;
  /** The clock, so that tests can travel. */
  now: () => Date;
}
