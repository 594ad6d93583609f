import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A user or a team, as somebody to whom something can be given.' })
@Directive('@inaccessible')
export class InternalPrincipal {
  // Not an enum: type-graphql cannot mark one as inaccessible, and it would show in the public graph.
  @Field(() => String, { description: 'USER or TEAM.' })
  type!: string;

  @Field(() => ID, { description: 'The user or team, without prefix.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The handle; null for a user without one.' })
  handle!: string | null;
}
