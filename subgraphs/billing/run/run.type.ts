import { Directive, Field, Float, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';

export enum BillingUnit {
  USD_MICROS = 'usd_micros',
  CREDITS = 'credits',
}
registerEnumType(BillingUnit, {
  name: 'BillingUnit',
  description: 'What an amount counts.',
  valuesConfig: {
    USD_MICROS: { description: 'Millionths of a dollar.' },
    CREDITS: { description: 'Whole credits.' },
  },
});

@InputType({ description: 'Who pays for a run: an account, or a network without one.' })
@Directive('@inaccessible')
export class InternalPayerInput {
  @Field(() => ID, { nullable: true, description: 'The user, without prefix.' })
  userId?: string | null;

  @Field(() => Date, { nullable: true, description: 'When that account was made.' })
  createdAt?: Date | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether that account is suspended.' })
  suspended?: boolean | null;

  @Field(() => String, { nullable: true, description: 'The network of a caller without an account.' })
  network?: string | null;
}

@InputType({ description: 'What to hold for a run.' })
@Directive('@inaccessible')
export class InternalReserveInput {
  @Field(() => ID, { description: "The run's own id." })
  runId!: string;

  @Field(() => InternalPayerInput, { description: 'Who pays.' })
  payer!: InternalPayerInput;

  @Field(() => BillingUnit, { description: 'What the amount counts.' })
  unit!: BillingUnit;

  @Field(() => Float, { description: 'How much to hold; a whole number.' })
  amount!: number;

  @Field(() => String, { description: 'What for, in the ledger and in metrics.' })
  purpose!: string;

  @Field(() => Boolean, { nullable: true, description: 'Holds what is held already for as long again.' })
  renew?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: "Whether the run's id was made for this call alone." })
  fresh?: boolean | null;
}

@ObjectType({ description: 'What is held for a run.' })
@Directive('@inaccessible')
export class InternalReservation {
  @Field(() => Date, { description: 'When it is given back by itself.' })
  expiresAt!: Date;
}

@InputType({ description: 'What a run came to.' })
@Directive('@inaccessible')
export class InternalSettleInput {
  @Field(() => ID, { description: "The run's own id." })
  runId!: string;

  @Field(() => InternalPayerInput, { description: 'Who pays.' })
  payer!: InternalPayerInput;

  @Field(() => Float, { description: 'The true cost; a whole number.' })
  amount!: number;
}

@ObjectType({ description: 'What a run was charged.' })
@Directive('@inaccessible')
export class InternalCharge {
  @Field(() => Float, { description: 'What it was charged, by this call or by an earlier one.' })
  charged!: number;
}

@InputType({ description: 'A run that came to nothing.' })
@Directive('@inaccessible')
export class InternalReleaseInput {
  @Field(() => ID, { description: "The run's own id." })
  runId!: string;

  @Field(() => InternalPayerInput, { description: 'Who was to pay.' })
  payer!: InternalPayerInput;
}

@ObjectType({ description: 'Whether something was given back.' })
@Directive('@inaccessible')
export class InternalRelease {
  @Field(() => Boolean, { description: 'False when nothing was held any more.' })
  released!: boolean;
}
