/** Keeps gateways that cannot hear each other from running side by side. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConfigError } from '../platform/config.js';
import { newId } from '../platform/ids.js';
import type { AccountsClient } from '../subgraphs/accounts/client.js';

const EVERY_MS = 3_000;
// A gateway that was killed a moment ago is still on the roster; it is off after eight seconds.
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 1_000;

export interface RosterDeps {
  accounts: AccountsClient;
  shared: boolean;
  log: Logger;
}

export interface Roster {
  leave(): Promise<void>;
}

/** Throws when another gateway runs and one of the two has no Redis. Accounts that cannot be reached do not stop a start. */
export async function joinRoster({ accounts, shared, log }: RosterDeps): Promise<Roster> {
  const id = newId();
  const announce = (running: boolean) => accounts.announceGateway({ id, shared, running }, `gateway-${id}`);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const roster = await announce(true).catch((error: unknown) => log.warn({ err: error }, 'gateway not announced'));
    if (!roster || roster.others === 0 || (shared && roster.unshared === 0)) break;
    if (Date.now() > deadline) {
      await announce(false).catch(() => {});
      throw new ConfigError(
        'REDIS_URL must be set, the same for every gateway: another gateway is running, and without Redis the two do not ' +
          'share rate limits or hear of revoked keys, for example REDIS_URL=redis://redis:6379',
      );
    }
    await pause(LOOK_AGAIN_MS);
  }
  const timer = setInterval(
    () => announce(true).catch((error) => log.warn({ err: error }, 'gateway not announced')),
    EVERY_MS,
  );
  timer.unref();
  return {
    async leave() {
      clearInterval(timer);
      await announce(false).catch(() => {});
    },
  };
}
