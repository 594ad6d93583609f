import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { PlanName } from '../plan/plan.type.js';

@InputType({ description: 'What to buy on the payment page: a plan or a pack.' })
export class CreateCheckoutInput {
  @Field(() => PlanName, { nullable: true, description: 'The plan to subscribe to: PRO or AGENCY.' })
  plan?: PlanName | null;

  @Field(() => ID, { nullable: true, description: 'The pack to buy.' })
  packId?: string | null;
}

@ObjectType({ description: 'A payment page.' })
export class CreateCheckoutPayload {
  @Field(() => String, { description: 'Where a person can pay. An earlier page of the account is closed.' })
  url!: string;
}

@ObjectType({ description: 'The page where a subscriber manages card and plan.' })
export class CreatePortalPayload {
  @Field(() => String, { description: 'Its address, for the caller alone and for a short time.' })
  url!: string;
}
