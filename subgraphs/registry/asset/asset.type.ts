import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A picture of a job. Its bytes are at `url`.' })
@Directive('@key(fields: "id", resolvable: false)')
export class Asset {
  @Field(() => ID, { description: 'SHA-256 of its bytes.' })
  id!: string;
}
