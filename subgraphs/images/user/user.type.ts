import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A person with an account.' })
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID, { description: 'Id of the user.' })
  id!: string;
}
