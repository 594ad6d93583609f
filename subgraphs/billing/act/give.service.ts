/** What operators give: money and credits, a tier, a plan. The id of the act is the source: it takes effect once. */
import { Problem } from '../../../platform/errors.js';
import type { TierSlug, Unit } from '../account/account.model.js';
import type { MoneyIn } from '../account/money-in.service.js';
import type { Holder } from '../account/payers.js';
import { type CustomerDoc, type GivenPlan, givenId, planInForce } from '../customer/customer.model.js';
import type { CustomerService } from '../customer/customer.service.js';
import type { StandingService } from '../customer/standing.service.js';
import { isPaidPlan, type PlanId } from '../plan/catalogue.js';

export interface GiveServiceDeps {
  moneyIn: MoneyIn;
  customerService: CustomerService;
  standing: StandingService;
  now: () => Date;
}

export interface Gift {
  actId: string;
  unit: Unit;
  amount: number;
  expiresAt: Date | null;
  note: string | null;
}

export interface StandingChange {
  actId: string;
  tier: TierSlug | null;
  plan: PlanId | null;
  until: Date | null;
}

export class GiveService {
  readonly #deps: GiveServiceDeps;

  constructor(deps: GiveServiceDeps) {
    this.#deps = deps;
  }

  async give(holder: Holder, { actId, note, ...gift }: Gift): Promise<void> {
    const { moneyIn, now } = this.#deps;
    if (gift.amount < 1) throw Problem.invalid('amount', 'must be more than nothing');
    if (gift.expiresAt && gift.expiresAt <= now()) throw Problem.invalid('expires', 'must be in the future');
    await moneyIn.grant(holder, { ...gift, source: `act:${actId}`, kind: 'purchased', note: note ?? 'by an operator' });
  }

  async change(holder: Holder, { actId, tier, plan, until }: StandingChange): Promise<CustomerDoc> {
    const { customerService, standing, now } = this.#deps;
    if (until && until <= now()) throw Problem.invalid('until', 'must be in the future');
    await customerService.ensure(holder, null);
    return standing.change(holder.userId, ({ given, ended }) => ({
      ...(tier !== null && { givenTier: tier }),
      // A repetition must not begin the plan anew.
      ...(plan !== null && given?.actId !== actId && this.#given(given, ended, { actId, plan, until })),
    }));
  }

  /** What rolled over of the plan before can be spent for a while, as with one that was cancelled. */
  #given(
    before: GivenPlan | null,
    ended: CustomerDoc['ended'],
    { actId, plan, until }: { actId: string; plan: PlanId; until: Date | null },
  ): Partial<CustomerDoc> {
    const since = this.#deps.now();
    return {
      given: isPaidPlan(plan) ? { plan, actId, since, until, monthsGranted: 0 } : null,
      ...(before && { ended: [...ended, { subscriptionId: givenId(before.actId), at: since }] }),
    };
  }

  async look(holder: Holder) {
    const { moneyIn, customerService, now } = this.#deps;
    const [customer, account] = await Promise.all([customerService.find(holder.userId), moneyIn.look(holder)]);
    return {
      plan: planInForce(customer, now()),
      tier: account.tier,
      givenPlan: customer?.given?.plan ?? null,
      givenUntil: customer?.given?.until ?? null,
      subscriptionStatus: customer?.subscribed?.status ?? null,
      customerId: customer?.customerId ?? null,
      pots: account.pots,
      owedUsdMicros: account.owed.usd_micros,
      owedCredits: account.owed.credits,
      openReservations: account.reservations.size,
    };
  }
}
