import { Directive, Field, Float, ID, ObjectType } from 'type-graphql';
import { UserId } from '../../../platform/ids.js';
import type { Account } from '../account/account.js';
import type { Pot } from '../account/account.model.js';
import { usdOf } from '../settings.js';
import { Tier } from '../tier/tier.type.js';

@ObjectType({ description: 'What an account was granted this billing month, and what of it is left. In dollars.' })
@Directive('@key(fields: "id")')
export class UsageSummary {
  @Field(() => ID, { description: 'Id of the user whose usage it is.' })
  id!: string;

  @Field(() => Tier, { description: 'The tier that the monthly grant follows.' })
  tier!: Tier;

  @Field(() => Date, { description: 'When this billing month began; months are counted from sign-up.' })
  periodStart!: Date;

  @Field(() => Date, { description: 'When it ends.' })
  periodEnd!: Date;

  @Field(() => Float, { description: 'What this month was granted.' })
  grantedUsd!: number;

  @Field(() => Float, { description: 'What of that grant is used.' })
  usedUsd!: number;

  @Field(() => Float, { description: 'What of that grant is not used; runs under way may hold some of it.' })
  remainingUsd!: number;

  @Field(() => Float, {
    description: 'What a run may cost right now: all that is left, less what runs under way hold.',
  })
  availableUsd!: number;

  @Field(() => Float, { description: 'What is left of the monthly grant.' })
  monthlyRemainingUsd!: number;

  @Field(() => Float, { description: 'What the monthly grant refills to.' })
  monthlyRefillUsd!: number;

  @Field(() => Date, { description: 'When it refills.' })
  monthlyRefillAt!: Date;

  @Field(() => Float, { description: 'What is left of what was added beside the monthly grant. It does not lapse.' })
  purchasedRemainingUsd!: number;

  @Field(() => Float, { description: 'What runs cost beyond what was held for them; the next refill pays it.' })
  unpaidBalanceUsd!: number;
}

export function usageView(account: Account, tier: Tier): UsageSummary {
  const { start, end } = account.period;
  const dollars = account.pots.filter(({ unit }) => unit === 'usd_micros');
  const monthly = dollars.filter(({ kind }) => kind === 'monthly');
  const left = (pots: readonly Pot[]) => sum(pots.map(({ remaining }) => remaining)) + account.heldOf(pots);
  const granted = sum(monthly.map((pot) => pot.granted));
  const remaining = left(monthly);
  return {
    id: UserId.format(account.id),
    tier,
    periodStart: start,
    periodEnd: end,
    grantedUsd: usdOf(granted),
    usedUsd: usdOf(granted - remaining),
    remainingUsd: usdOf(remaining),
    availableUsd: usdOf(account.available('usd_micros')),
    monthlyRemainingUsd: usdOf(remaining),
    monthlyRefillUsd: tier.monthlyRefillUsd,
    monthlyRefillAt: end,
    purchasedRemainingUsd: usdOf(left(dollars.filter(({ kind }) => kind === 'purchased'))),
    unpaidBalanceUsd: usdOf(account.owed.usd_micros),
  };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
