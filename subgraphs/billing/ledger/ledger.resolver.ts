import { Args, Ctx, Query, Resolver } from 'type-graphql';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';
import { LedgerEntry, LedgerEntryConnection, ledgerEntryView } from './ledger.type.js';

@Resolver(() => LedgerEntry)
export class LedgerResolver {
  @Query(() => LedgerEntryConnection, {
    nullable: true,
    description: 'Every change of your account, newest first. An entry may appear a moment after what it tells of.',
  })
  async ledgerEntries(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, ledger }: BillingContext,
  ): Promise<Connection<LedgerEntry>> {
    return toConnection(await ledger.page(requireCaller(scope).userId, page), ledgerEntryView);
  }
}

export const ledgerEntryReference: ReferenceResolver<BillingContext> = async ({ id }, { scope, entryLoader }) => {
  const entryId = PlainId.parse(String(id));
  const entry = entryId === null || !scope.caller ? null : await entryLoader.load(entryId);
  return entry && entry.accountId === scope.caller?.userId ? ledgerEntryView(entry) : null;
};
