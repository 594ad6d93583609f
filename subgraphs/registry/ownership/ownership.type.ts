import { Directive, Field, ID, InputType, Int, ObjectType } from 'type-graphql';

@InputType({ description: 'What an invitation is about.' })
@Directive('@inaccessible')
export class InternalOwnedThingInput {
  // Not an enum: type-graphql cannot mark one as inaccessible, and it would show in the public graph.
  @Field(() => String, { description: 'workflow or template.' })
  kind!: string;

  @Field(() => ID, { description: 'Its id, without prefix.' })
  id!: string;
}

@ObjectType({ description: 'Who owns a thing.' })
@Directive('@inaccessible')
export class InternalStanding {
  @Field(() => ID, { description: 'The owner, without prefix.' })
  ownerId!: string;

  @Field(() => Int, { description: 'Rises with every change of hands.' })
  turnover!: number;

  @Field(() => Boolean, { description: 'Whether the invitation has taken effect.' })
  applied!: boolean;
}

@InputType({ description: 'An accepted invitation to be carried out.' })
@Directive('@inaccessible')
export class InternalHandOverInput {
  @Field(() => InternalOwnedThingInput, { description: 'What changes hands.' })
  thing!: InternalOwnedThingInput;

  @Field(() => ID, { description: 'The invitation.' })
  invitationId!: string;

  @Field(() => ID, { description: 'The owner until now, without prefix.' })
  from!: string;

  @Field(() => ID, { description: 'The owner from now on, without prefix.' })
  to!: string;

  @Field(() => Int, { description: 'The turnover that was read.' })
  turnover!: number;
}

@InputType({ description: 'An invitation, and what it is about.' })
@Directive('@inaccessible')
export class InternalInvitedThingInput {
  @Field(() => InternalOwnedThingInput, { description: 'What it is about.' })
  thing!: InternalOwnedThingInput;

  @Field(() => ID, { description: 'The invitation.' })
  invitationId!: string;
}

@ObjectType({ description: 'Whether the invitation has taken effect.' })
@Directive('@inaccessible')
export class InternalOwnershipPayload {
  @Field(() => Boolean, { description: 'Whether it has.' })
  applied!: boolean;
}
