import { Directive, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { Json } from '../../../platform/graph/scalars.js';
import { PlanName } from '../plan/plan.type.js';
import { BillingUnit } from '../run/run.type.js';

@InputType({ description: 'What an operator is about to do.' })
@Directive('@inaccessible')
export class InternalActInput {
  @Field(() => ID, { description: 'Names the act: it is done once.' })
  id!: string;

  @Field(() => String, { description: 'Such as grant or suspend.' })
  kind!: string;

  @Field(() => String, { nullable: true, description: 'The user of the operating system who gave the command.' })
  operator?: string | null;

  @Field(() => ID, { nullable: true, description: 'Whom it is about, without prefix.' })
  userId?: string | null;

  @Field(() => Json, { description: 'What the command said.' })
  details!: unknown;
}

@ObjectType({ description: 'An act on record.' })
@Directive('@inaccessible')
export class InternalAct {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { description: 'Such as grant or suspend.' })
  kind!: string;

  @Field(() => String, { nullable: true, description: 'The user of the operating system who gave the command.' })
  operator!: string | null;

  @Field(() => ID, { nullable: true, description: 'Whom it is about, without prefix.' })
  userId!: string | null;

  @Field(() => Json, { description: 'What the command said.' })
  details!: unknown;

  @Field(() => Date, { description: 'When the command came.' })
  begunAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was done.' })
  doneAt!: Date | null;

  @Field(() => Json, { nullable: true, description: 'What came of it.' })
  result!: unknown;
}

@ObjectType({ description: 'A page of the log of acts, the newest first.' })
@Directive('@inaccessible')
export class InternalActPage {
  @Field(() => [InternalAct], { description: 'The acts.' })
  acts!: InternalAct[];

  @Field(() => String, { nullable: true, description: 'Where the next page starts.' })
  nextCursor!: string | null;
}

@InputType({ description: 'What came of an act.' })
@Directive('@inaccessible')
export class InternalFinishActInput {
  @Field(() => ID, { description: 'The act.' })
  id!: string;

  @Field(() => Json, { description: 'What came of it.' })
  result!: unknown;
}

@InputType({ description: 'Whose account it is.' })
@Directive('@inaccessible')
export class InternalHolderInput {
  @Field(() => ID, { description: 'The user, without prefix.' })
  userId!: string;

  @Field(() => Date, { description: 'When the account was made.' })
  createdAt!: Date;
}

@InputType({ description: 'Money or credits that an operator gives.' })
@Directive('@inaccessible')
export class InternalGiveInput extends InternalHolderInput {
  @Field(() => ID, { description: 'The act: it gives once.' })
  actId!: string;

  @Field(() => BillingUnit, { description: 'What is counted.' })
  unit!: BillingUnit;

  @Field(() => Int, { description: 'How much.' })
  amount!: number;

  @Field(() => Date, { nullable: true, description: 'When what is left is gone. Null: never.' })
  expiresAt?: Date | null;

  @Field(() => String, { nullable: true, description: 'Why, for whoever reads the ledger.' })
  note?: string | null;
}

@InputType({ description: 'What an operator makes of an account.' })
@Directive('@inaccessible')
export class InternalStandingInput extends InternalHolderInput {
  @Field(() => ID, { description: 'The act.' })
  actId!: string;

  @Field(() => String, { nullable: true, description: 'The tier to put the account on: hobby or pro.' })
  tier?: string | null;

  @Field(() => PlanName, { nullable: true, description: 'The plan to give; FREE takes a given plan away.' })
  plan?: PlanName | null;

  @Field(() => Date, { nullable: true, description: 'When the given plan ends. Null: when another is given.' })
  until?: Date | null;
}

@ObjectType({ description: 'What is in an account.' })
@Directive('@inaccessible')
export class InternalPot {
  @Field(() => String, { description: 'usd_micros or credits.' })
  unit!: string;

  @Field(() => String, { description: 'Where it came from.' })
  kind!: string;

  @Field(() => Int, { description: 'What is left.' })
  remaining!: number;

  @Field(() => Date, { nullable: true, description: 'When that is gone.' })
  expiresAt!: Date | null;
}

@ObjectType({ description: 'How an account stands, as an operator sees it.' })
@Directive('@inaccessible')
export class InternalAccount {
  @Field(() => String, { description: 'The plan in force.' })
  plan!: string;

  @Field(() => String, { description: 'The tier of /v1.' })
  tier!: string;

  @Field(() => String, { nullable: true, description: 'The plan that an operator gave.' })
  givenPlan!: string | null;

  @Field(() => Date, { nullable: true, description: 'When that ends.' })
  givenUntil!: Date | null;

  @Field(() => String, { nullable: true, description: 'Of the subscription.' })
  subscriptionStatus!: string | null;

  @Field(() => ID, { nullable: true, description: 'The customer at Stripe.' })
  customerId!: string | null;

  @Field(() => [InternalPot], { description: 'What is in the account.' })
  pots!: InternalPot[];

  @Field(() => Int, { description: 'Millionths of a dollar that are owed.' })
  owedUsdMicros!: number;

  @Field(() => Int, { description: 'Credits that are owed.' })
  owedCredits!: number;

  @Field(() => Int, { description: 'Runs under way.' })
  openReservations!: number;
}
