import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** What an operator did, or began to do. */
export interface ActDoc {
  /** Chosen where the command was given: the same act is done once, however often the command is repeated. */
  _id: string;
  /** Such as grant, tier, plan, suspend. */
  kind: string;
  /** The user of the operating system who gave the command, where it is known. */
  operator: string | null;
  /** Whom it is about; null when it is about no user. */
  userId: string | null;
  details: Record<string, unknown>;
  begunAt: Date;
  /** Null: begun, and perhaps not done. The same command with the same id finishes it. */
  doneAt: Date | null;
  result: Record<string, unknown> | null;
}

export const ACTS: CollectionDefinition = {
  name: 'billing_acts',
  indexes: [{ name: 'user', key: { userId: 1, _id: -1 } }],
};
