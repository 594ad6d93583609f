/** Which account somebody's money is in. */
import { networkId } from '../../../platform/network.js';
import type { Secrets } from '../../../platform/secrets.js';
import { monthStart } from './months.js';
import type { AccountRef } from './writer.js';

/** Somebody with an account, and since when: billing months are counted from then. */
export interface Holder {
  userId: string;
  createdAt: Date;
}

export function userAccount({ userId, createdAt }: Holder): AccountRef {
  return { id: userId, kind: 'user', openedAt: createdAt };
}

export function networkAccount(secrets: Secrets, network: string, now: Date): AccountRef {
  return { id: networkId(secrets, network), kind: 'network', openedAt: monthStart(now) };
}

const CAP = 'cap_';

/** What all callers without an account spend on one UTC day. */
export function capAccount(now: Date): AccountRef {
  return capNamed(CAP + now.toISOString().slice(0, 10));
}

export function capNamed(id: string): AccountRef {
  return { id, kind: 'cap', openedAt: new Date(`${id.slice(CAP.length)}T00:00:00.000Z`) };
}
