import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A proposal that takes effect when its recipient accepts it.' })
@Directive('@key(fields: "id", resolvable: false)')
export class Invitation {
  @Field(() => ID, { description: 'The id.' })
  id!: string;
}
