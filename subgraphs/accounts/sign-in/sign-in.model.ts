import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** The one code that an address can have at a time. */
export interface CodeDoc {
  /** The normalised e-mail address. */
  _id: string;
  /** Keyed hash of address and code; where no code was sent, of something that nobody knows. */
  mac: string;
  tries: number;
  expiresAt: Date;
}

export const CODES: CollectionDefinition = {
  name: 'accounts_codes',
  indexes: [{ name: 'expiry', key: { expiresAt: 1 } }],
};
