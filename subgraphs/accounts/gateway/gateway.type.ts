import { Directive, Field, ID, InputType, Int, ObjectType } from 'type-graphql';

@InputType({ description: 'A gateway that says that it runs, or that it ends.' })
@Directive('@inaccessible')
export class InternalAnnounceGatewayInput {
  @Field(() => ID, { description: 'An id that the process gave itself.' })
  id!: string;

  @Field(() => Boolean, { description: 'Whether it shares events and limits through Redis.' })
  shared!: boolean;

  @Field(() => Boolean, { description: 'False when it ends.' })
  running!: boolean;
}

@ObjectType({ description: 'The other gateways that run at the same time.' })
@Directive('@inaccessible')
export class InternalGatewayRoster {
  @Field(() => Int, { description: 'How many there are.' })
  others!: number;

  @Field(() => Int, { description: 'How many of them share nothing.' })
  unshared!: number;
}
