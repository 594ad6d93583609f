import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';

@ObjectType({ description: 'A part of an account with jobs of its own.' })
@Directive('@key(fields: "id")')
@OpenToAllKeys()
export class Tenant {
  @Field(() => ID, { description: 'Id of the tenant.' })
  id!: string;
}

@ObjectType({ description: 'How many jobs there are, of those that are still kept.' })
@OpenToAllKeys()
export class JobTotals {
  @Field(() => Int, { description: 'All of them.' })
  total!: number;

  @Field(() => Int, { description: 'Those that wait for a worker.' })
  queued!: number;

  @Field(() => Int, { description: 'Those that are being drawn.' })
  processing!: number;

  @Field(() => Int, { description: 'Those that have their picture.' })
  completed!: number;

  @Field(() => Int, { description: 'Those that came to nothing.' })
  failed!: number;

  @Field(() => Int, { description: 'Those whose picture was drawn and could not be encoded.' })
  failedEncoding!: number;
}
