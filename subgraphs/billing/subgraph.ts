/** Accounts of money and credits: what comes in, what is held and spent, and the ledger of it. */
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { contextsOf } from '../../platform/graph/context.js';
import { byIdLoader } from '../../platform/mongo/loader.js';
import { Lookups } from '../../platform/mongo/lookups.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { ActResolver } from './act/act.resolver.js';
import { CheckoutResolver } from './checkout/checkout.resolver.js';
import type { BillingContext } from './context.js';
import type { BillingDeps } from './deps.js';
import { createEngine } from './engine.js';
import { EntitlementResolver, UserEntitlementResolver } from './entitlement/entitlement.resolver.js';
import { LedgerResolver, ledgerEntryReference } from './ledger/ledger.resolver.js';
import { PlanResolver } from './plan/plan.resolver.js';
import { PurchaseResolver } from './purchase/purchase.resolver.js';
import { RunResolver } from './run/run.resolver.js';
import { createSales } from './sales.js';
import { openStore } from './store.js';
import { WebhookResolver } from './stripe/webhook.resolver.js';
import { TierResolver, UserTierResolver } from './tier/tier.resolver.js';
import { TierService } from './tier/tier.service.js';
import { UnlockResolver } from './unlock/unlock.resolver.js';
import { UsageResolver, UserUsageResolver, usageReference } from './usage/usage.resolver.js';
import { User } from './user/user.type.js';

export function billingSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<BillingContext>({
    resolvers: [
      TierResolver,
      UserTierResolver,
      UsageResolver,
      UserUsageResolver,
      LedgerResolver,
      RunResolver,
      PlanResolver,
      EntitlementResolver,
      UserEntitlementResolver,
      UnlockResolver,
      CheckoutResolver,
      PurchaseResolver,
      WebhookResolver,
      ActResolver,
    ],
    extended: [User],
    references: {
      Tier: ({ slug }, { tiers }) => tiers.find(String(slug)),
      User: ({ id }) => ({ id }),
      UsageSummary: usageReference,
      LedgerEntry: ledgerEntryReference,
    },
  });
}

export async function createBilling(deps: BillingDeps): Promise<Subgraph> {
  const { db, settings } = deps;
  const [store, { schema }] = await Promise.all([openStore(db), billingSchema()]);
  const engine = createEngine(store, deps);
  const { spending, moneyIn, sweeper, ledger } = engine;
  const { tasks, ...sales } = createSales(store, engine, deps);
  const tiers = new TierService(settings.refills);
  const accounts = new Lookups(store.accounts, { largest: 20 });
  const entries = new Lookups(store.entries);
  const customers = new Lookups(store.customers);
  return {
    name: 'billing',
    schema,
    context: contextsOf<BillingContext, 'accountLoader' | 'entryLoader' | 'customerLoader'>(
      { ...sales, spending, moneyIn, ledger, tiers },
      {
        accountLoader: () => byIdLoader(accounts),
        entryLoader: () => byIdLoader(entries),
        customerLoader: () => byIdLoader(customers),
      },
    ),
    tasks: [...sweeper.tasks, ...ledger.tasks, ...tasks],
    async ready() {
      await db.command({ ping: 1 });
    },
    async close() {
      await ledger.flush();
    },
  };
}
