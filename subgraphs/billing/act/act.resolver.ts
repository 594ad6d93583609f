import { Arg, Ctx, Directive, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { requireInternal } from '../../../platform/scope.js';
import type { TierSlug } from '../account/account.model.js';
import type { BillingContext } from '../context.js';
import type { PlanId } from '../plan/catalogue.js';
import type { ActDoc } from './act.model.js';
import {
  InternalAccount,
  InternalAct,
  InternalActInput,
  InternalActPage,
  InternalFinishActInput,
  InternalGiveInput,
  InternalHolderInput,
  InternalStandingInput,
} from './act.type.js';

@Resolver()
export class ActResolver {
  @Mutation(() => InternalAct, { nullable: true, description: 'Puts an act of an operator on record.' })
  @Directive('@inaccessible')
  async internalBeginAct(
    @Arg('input', () => InternalActInput, { description: 'The act.' })
    { id, kind, operator, userId, details }: InternalActInput,
    @Ctx() { scope, actService }: BillingContext,
  ): Promise<InternalAct> {
    requireInternal(scope);
    const act = { id, kind, operator: operator ?? null, userId: userId ?? null, details: openObject(details) };
    return actView(await actService.begin(act));
  }

  @Mutation(() => Boolean, { nullable: true, description: 'Puts on record what came of an act.' })
  @Directive('@inaccessible')
  async internalFinishAct(
    @Arg('input', () => InternalFinishActInput, { description: 'What came of it.' })
    { id, result }: InternalFinishActInput,
    @Ctx() { scope, actService }: BillingContext,
  ): Promise<boolean> {
    requireInternal(scope);
    await actService.finish(id, openObject(result));
    return true;
  }

  @Query(() => InternalActPage, { nullable: true, description: 'What operators did.' })
  @Directive('@inaccessible')
  async internalActs(
    @Arg('userId', () => ID, { nullable: true, description: 'About whom; null: about anybody.' })
    userId: string | null,
    @Arg('first', () => Int, { nullable: true, description: 'How many.' }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Start behind this cursor.' }) after: string | null,
    @Ctx() { scope, actService }: BillingContext,
  ): Promise<InternalActPage> {
    requireInternal(scope);
    const { items, hasNextPage, cursorOf } = await actService.list(userId ?? null, { first, after });
    const last = items.at(-1);
    return { acts: items.map(actView), nextCursor: hasNextPage && last ? cursorOf(last) : null };
  }

  @Mutation(() => InternalAccount, { nullable: true, description: 'Gives money or credits.' })
  @Directive('@inaccessible')
  async internalGive(
    @Arg('input', () => InternalGiveInput, { description: 'What and to whom.' })
    { userId, createdAt, actId, unit, amount, expiresAt, note }: InternalGiveInput,
    @Ctx() { scope, giveService }: BillingContext,
  ): Promise<InternalAccount> {
    requireInternal(scope);
    const holder = { userId, createdAt };
    const gift = { actId, amount, expiresAt: expiresAt ?? null, note: note ?? null };
    await giveService.give(holder, { ...gift, unit });
    return giveService.look(holder);
  }

  @Mutation(() => InternalAccount, { nullable: true, description: 'Gives a tier or a plan.' })
  @Directive('@inaccessible')
  async internalSetStanding(
    @Arg('input', () => InternalStandingInput, { description: 'What and to whom.' })
    { userId, createdAt, actId, tier, plan, until }: InternalStandingInput,
    @Ctx() { scope, giveService }: BillingContext,
  ): Promise<InternalAccount> {
    requireInternal(scope);
    const holder = { userId, createdAt };
    const given = { plan: (plan?.toLowerCase() ?? null) as PlanId | null, until: until ?? null };
    await giveService.change(holder, { actId, tier: tier == null ? null : readTier(tier), ...given });
    return giveService.look(holder);
  }

  @Query(() => InternalAccount, { nullable: true, description: 'How an account stands.' })
  @Directive('@inaccessible')
  async internalAccount(
    @Arg('holder', () => InternalHolderInput, { description: 'Whose.' }) { userId, createdAt }: InternalHolderInput,
    @Ctx() { scope, giveService }: BillingContext,
  ): Promise<InternalAccount> {
    requireInternal(scope);
    return giveService.look({ userId, createdAt });
  }
}

function readTier(tier: string): TierSlug {
  if (tier === 'hobby' || tier === 'pro') return tier;
  throw Problem.invalid('tier', 'must be hobby or pro');
}

function actView({ _id, ...act }: ActDoc): InternalAct {
  return { id: _id, ...act };
}

function openObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw Problem.invalid('details', 'must be an object');
  return value as Record<string, unknown>;
}
