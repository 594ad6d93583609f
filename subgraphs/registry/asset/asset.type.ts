import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';

@ObjectType({ description: 'A picture of a job. Its bytes are at `url`.' })
@Directive('@key(fields: "id", resolvable: false)')
@OpenToAllKeys()
export class Asset {
  @Field(() => ID, { description: 'SHA-256 of its bytes.' })
  id!: string;
}
