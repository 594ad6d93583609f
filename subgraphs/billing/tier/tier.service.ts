import type DataLoader from 'dataloader';
import type { Collection, Db } from 'mongodb';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { BILLING_ACCOUNTS, type BillingAccountDocument, type TierSlug } from './tier.model.js';
import type { Tier } from './tier.type.js';

export type TierRefills = Readonly<Record<TierSlug, number>>;

export class TierService {
  readonly #accounts: Collection<BillingAccountDocument>;
  readonly #refills: TierRefills;

  constructor(db: Db, refills: TierRefills) {
    this.#accounts = db.collection<BillingAccountDocument>(BILLING_ACCOUNTS.name);
    this.#refills = refills;
  }

  accountLoader(): DataLoader<string, BillingAccountDocument | null> {
    return byIdLoader(this.#accounts);
  }

  all(): Tier[] {
    return (Object.keys(this.#refills) as TierSlug[]).map((slug) => this.#tier(slug));
  }

  find(slug: string): Tier | null {
    return this.all().find((tier) => tier.slug === slug) ?? null;
  }

  async ofUser(userId: string, accounts: DataLoader<string, BillingAccountDocument | null>): Promise<Tier> {
    const account = await accounts.load(userId);
    return this.#tier(account?.tier ?? 'hobby');
  }

  #tier(slug: TierSlug): Tier {
    return { slug, monthlyRefillUsd: this.#refills[slug] };
  }
}
