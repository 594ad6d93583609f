import { Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { KeyId } from '../../../platform/ids.js';
import type { ApiKeyDoc } from './api-key.model.js';

@ObjectType({ description: 'A key to the API. The key itself is shown once, when it is made.' })
@Directive('@key(fields: "id")')
export class ApiKey {
  @Field(() => ID, { description: 'The id, for example key_0190….' })
  id!: string;

  @Field(() => String, { description: 'The name that its owner gave it. Names may repeat.' })
  name!: string;

  @Field(() => String, { description: 'How the key begins, to recognise it by.' })
  prefix!: string;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was last used, up to a minute late; null when never.' })
  lastUsedAt!: Date | null;
}

export function apiKeyView({ _id, name, prefix, createdAt, lastUsedAt }: ApiKeyDoc): ApiKey {
  return { id: KeyId.format(_id), name, prefix, createdAt, lastUsedAt };
}

export const ApiKeyConnection = connectionType('ApiKey', () => ApiKey);

@InputType({ description: 'The key to make.' })
export class CreateApiKeyInput {
  @Field(() => String, { description: 'A name to recognise it by, 1 to 100 characters.' })
  name!: string;
}

@ObjectType({ description: 'A new key.' })
export class CreateApiKeyPayload {
  @Field(() => ApiKey, { description: 'What can be seen of it from now on.' })
  apiKey!: ApiKey;

  @Field(() => String, { description: 'The key itself. Store it: it cannot be shown again.' })
  key!: string;
}

@InputType({ description: 'What the key is for.' })
export class ExchangeAccessTokenInput {
  @Field(() => String, { nullable: true, description: 'The name of the machine, 1 to 100 characters.' })
  hostname?: string | null;
}

@ObjectType({ description: 'A new key, in exchange for an access token, which goes on working until it expires.' })
export class ExchangeAccessTokenPayload extends CreateApiKeyPayload {}

@InputType({ description: 'The key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => String, { description: 'Its id, or its name when no other key has that name.' })
  identifier!: string;
}

@ObjectType({ description: 'A key that no longer works.' })
export class RevokeApiKeyPayload {
  @Field(() => ID, { description: 'The id of the key.' })
  id!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  revoked!: boolean;
}
