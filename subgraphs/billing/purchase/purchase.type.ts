import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { packOf } from '../plan/catalogue.js';
import type { PurchaseDoc } from './purchase.model.js';

export enum PurchaseState {
  PAID = 'PAID',
  PROCESSING = 'PROCESSING',
}

registerEnumType(PurchaseState, {
  name: 'PurchaseState',
  description: 'What became of a purchase.',
  valuesConfig: {
    PAID: { description: 'The card was charged, and the credits are there.' },
    PROCESSING: { description: 'The bank has not decided; the credits come when it has.' },
  },
});

@InputType({ description: 'A pack to buy with the saved card.' })
export class PurchaseCreditsInput {
  @Field(() => ID, { description: 'The pack.' })
  packId!: string;

  @Field(() => String, {
    description: 'Of the caller’s choice, 1 to 200 characters: the same key never charges twice. Good for 90 days.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'A purchase with the saved card.' })
@OpenToAllKeys()
export class PurchaseCreditsPayload {
  @Field(() => ID, { description: 'The pack.' })
  packId!: string;

  @Field(() => PurchaseState, { description: 'What became of it.' })
  state!: PurchaseState;

  @Field(() => Int, { description: 'Credits that the pack holds.' })
  credits!: number;

  @Field(() => Int, { description: 'Bought credits that the caller has now.' })
  creditBalance!: number;
}

export function purchaseView({ packId, outcome }: PurchaseDoc, creditBalance: number): PurchaseCreditsPayload {
  const state = outcome === 'PAID' ? PurchaseState.PAID : PurchaseState.PROCESSING;
  return { packId, state, credits: packOf(packId)?.credits ?? 0, creditBalance };
}
