import type { Db } from 'mongodb';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { Subgraph } from '../../platform/subgraph.js';
import type { BillingContext } from './context.js';
import { BILLING_ACCOUNTS } from './tier/tier.model.js';
import { TierResolver, UserTierResolver } from './tier/tier.resolver.js';
import { type TierRefills, TierService } from './tier/tier.service.js';
import { User } from './user/user.type.js';

export interface BillingDeps {
  db: Db;
  refills: TierRefills;
}

export function billingSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<BillingContext>({
    resolvers: [TierResolver, UserTierResolver],
    extended: [User],
    references: {
      Tier: ({ slug }, { tiers }) => tiers.find(String(slug)),
      User: ({ id }) => ({ id }),
    },
  });
}

export async function createBilling({ db, refills }: BillingDeps): Promise<Subgraph> {
  const { schema } = await billingSchema();
  await ensureIndexes(db, [BILLING_ACCOUNTS]);
  const tiers = new TierService(db, refills);
  return {
    name: 'billing',
    schema,
    context: (scope): BillingContext => ({ scope, tiers, accountLoader: tiers.accountLoader() }),
    tasks: [],
    async ready() {
      await db.command({ ping: 1 });
    },
    async close() {},
  };
}
