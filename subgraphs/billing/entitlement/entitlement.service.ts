/** What an account may do by its plan, and how far its credits are used. */
import type { Account } from '../account/account.js';
import type { MoneyIn } from '../account/money-in.service.js';
import type { Holder } from '../account/payers.js';
import { type CustomerDoc, planInForce } from '../customer/customer.model.js';
import { PLANS, type PlanId, type QualityTier } from '../plan/catalogue.js';
import type { UnlockService } from '../unlock/unlock.service.js';

export interface Entitlement {
  plan: PlanId;
  tiers: readonly QualityTier[];
  priorityQueue: boolean;
  frontierUnlocked: boolean;
}

export interface CreditCount {
  /** What can be spent. */
  available: number;
  welcome: number;
  subscription: number;
  purchased: number;
  /** Held for jobs that are under way. */
  reserved: number;
  /** Of all that was there after the last grants. */
  usedPercent: number;
}

export interface EntitlementServiceDeps {
  unlockService: UnlockService;
  moneyIn: MoneyIn;
  now: () => Date;
}

export class EntitlementService {
  readonly #deps: EntitlementServiceDeps;

  constructor(deps: EntitlementServiceDeps) {
    this.#deps = deps;
  }

  async of(customer: CustomerDoc | null): Promise<Entitlement> {
    const plan = planInForce(customer, this.#deps.now());
    const { tiers, priorityQueue } = PLANS[plan];
    const { unlocked } = await this.#deps.unlockService.status();
    return { plan, tiers, priorityQueue, frontierUnlocked: unlocked };
  }

  async credits(holder: Holder): Promise<CreditCount> {
    return creditsOf(await this.#deps.moneyIn.look(holder));
  }
}

export function creditsOf(account: Account): CreditCount {
  const pots = account.pots.filter(({ unit }) => unit === 'credits');
  const left = (kind: string) => pots.reduce((sum, pot) => sum + (pot.kind === kind ? pot.remaining : 0), 0);
  const granted = pots.reduce((sum, pot) => sum + pot.granted, 0);
  const available = account.available('credits');
  return {
    available,
    welcome: left('welcome'),
    subscription: left('subscription'),
    purchased: left('purchased'),
    reserved: account.heldOf(pots),
    usedPercent: granted === 0 ? 100 : Math.min(100, Math.floor((100 * (granted - available)) / granted)),
  };
}
