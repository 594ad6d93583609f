import { Directive, Field, Float, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'What an account may spend.' })
@Directive('@key(fields: "slug")')
export class Tier {
  @Field(() => ID, { description: 'Its name: hobby or pro.' })
  slug!: string;

  @Field(() => Float, { description: 'Dollars that the monthly grant refills to.' })
  monthlyRefillUsd!: number;
}
