/** How users and teams are called in lists of grants: by handle, else by id. E-mail addresses are nobody else's business. */
import DataLoader from 'dataloader';
import { UserId } from '../../../platform/ids.js';
import type { AccountsClient } from '../../accounts/client.js';
import type { GranteeType } from './grant.model.js';

export type PrincipalNames = DataLoader<{ type: GranteeType; id: string }, string, string>;

const MAX_BATCH = 500;

export function principalNames(accounts: Pick<AccountsClient, 'principals'>, requestId: string): PrincipalNames {
  return new DataLoader(
    async (wanted) => {
      const found = await accounts.principals(
        wanted.map(({ id }) => id),
        requestId,
      );
      const handles = new Map(found.map(({ id, handle }) => [id, handle]));
      return wanted.map(({ type, id }) => {
        const handle = handles.get(id) ?? null;
        if (handle !== null) return `@${handle}`;
        return type === 'USER' ? UserId.format(id) : id;
      });
    },
    { maxBatchSize: MAX_BATCH, cacheKeyFn: ({ id }) => id },
  );
}
