import type DataLoader from 'dataloader';
import type { AccountDocument, TierSlug } from '../account/account.model.js';
import { type BillingSettings, usdOf } from '../settings.js';
import type { Tier } from './tier.type.js';

export class TierService {
  readonly #refills: BillingSettings['refills'];

  constructor(refills: BillingSettings['refills']) {
    this.#refills = refills;
  }

  all(): Tier[] {
    return (Object.keys(this.#refills) as TierSlug[]).map((slug) => this.of(slug));
  }

  find(slug: string): Tier | null {
    return this.all().find((tier) => tier.slug === slug) ?? null;
  }

  /** An account that nothing has happened to has no document: it is on hobby. */
  async ofUser(userId: string, accounts: DataLoader<string, AccountDocument | null>): Promise<Tier> {
    const account = await accounts.load(userId);
    return this.of(account?.tier ?? 'hobby');
  }

  of(slug: TierSlug): Tier {
    return { slug, monthlyRefillUsd: usdOf(this.#refills[slug]) };
  }
}
