import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** A gateway process that is running, or was a moment ago. */
export interface GatewayDoc {
  _id: string;
  /** Whether it shares events and limits with others through Redis. */
  shared: boolean;
  seenAt: Date;
}

/** A handful of documents, read whole: no index would help. */
export const GATEWAYS: CollectionDefinition = { name: 'accounts_gateways', indexes: [] };
