import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import type { TenantScope as Scope, TenantDoc } from './tenant.model.js';

export enum TenantScope {
  GENERATE = 'GENERATE',
  READ = 'READ',
}

registerEnumType(TenantScope, {
  name: 'TenantScope',
  description: 'What a key of a tenant may be used for.',
  valuesConfig: {
    GENERATE: { description: 'To make jobs and delete them, and to buy credits with the saved card.' },
    READ: { description: 'To see jobs and their pictures, models, usage and credits.' },
  },
});

const toGraph: Readonly<Record<Scope, TenantScope>> = { generate: TenantScope.GENERATE, read: TenantScope.READ };
const fromGraph: Readonly<Record<TenantScope, Scope>> = { GENERATE: 'generate', READ: 'read' };

export const readScopes = (scopes: readonly TenantScope[]): Scope[] => scopes.map((scope) => fromGraph[scope]);

@ObjectType({
  description:
    'A part of an account with a key of its own: it has its own jobs, and spends the credits of the account. What a ' +
    "user's own key does is done for the account's default tenant.",
})
@Directive('@key(fields: "id")')
@OpenToAllKeys()
export class Tenant {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The name that its owner gave it.' })
  name!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'How its key begins, to recognise it by; null for a default tenant without a key of its own.',
  })
  keyPrefix!: string | null;

  @Field(() => [TenantScope], { description: 'What its key may be used for.' })
  scopes!: TenantScope[];

  @Field(() => Boolean, { description: "Whether it is the one that the user's own keys act for." })
  isDefault!: boolean;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When its key was last replaced; null when never.' })
  rotatedAt!: Date | null;
}

export function tenantView({ _id, userId, name, key, scopes, createdAt, rotatedAt }: TenantDoc): Tenant {
  return {
    id: _id,
    name,
    keyPrefix: key?.prefix ?? null,
    scopes: scopes.map((scope) => toGraph[scope]),
    isDefault: _id === userId,
    createdAt,
    rotatedAt,
  };
}

export const TenantConnection = connectionType('Tenant', () => Tenant);

@InputType({ description: 'The tenant to make.' })
export class CreateTenantInput {
  @Field(() => String, { nullable: true, description: 'A name to recognise it by, 1 to 100 characters.' })
  name?: string | null;

  @Field(() => [TenantScope], {
    nullable: true,
    description: 'What its key may be used for; everything when left out.',
  })
  scopes?: TenantScope[] | null;
}

@ObjectType()
class TenantWithKey {
  @Field(() => Tenant, { description: 'What can be seen of it from now on.' })
  tenant!: Tenant;

  @Field(() => String, { description: 'The key itself. Store it: it cannot be shown again.' })
  key!: string;
}

@ObjectType({ description: 'A new tenant.' })
export class CreateTenantPayload extends TenantWithKey {}

@InputType({ description: 'The tenant whose key is to be replaced.' })
export class RotateTenantKeyInput {
  @Field(() => ID, { description: 'The id of the tenant.' })
  id!: string;
}

@ObjectType({ description: 'A tenant whose old key is worth nothing any more.' })
export class RotateTenantKeyPayload extends TenantWithKey {}
