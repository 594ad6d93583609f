import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { KeyId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import {
  ApiKey,
  ApiKeyConnection,
  apiKeyView,
  CreateApiKeyInput,
  CreateApiKeyPayload,
  ExchangeAccessTokenInput,
  ExchangeAccessTokenPayload,
  RevokeApiKeyInput,
  RevokeApiKeyPayload,
} from './api-key.type.js';

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  @Query(() => ApiKeyConnection, { nullable: true, description: "The caller's keys, newest first." })
  async apiKeys(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, apiKeyService }: AccountsContext,
  ): Promise<Connection<ApiKey>> {
    return toConnection(await apiKeyService.list(requireCaller(scope), page), apiKeyView);
  }

  @Query(() => ApiKey, { nullable: true, description: "One of the caller's keys." })
  async apiKey(
    @Arg('id', () => ID, { description: 'The id of the key.' }) id: string,
    @Ctx() context: AccountsContext,
  ): Promise<ApiKey> {
    requireCaller(context.scope);
    const found = await loadApiKey(context, id);
    if (!found) throw new Problem('not_found', 'API key not found.');
    return found;
  }

  @Mutation(() => CreateApiKeyPayload, { nullable: true, description: 'Makes a key.' })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key to make.' }) { name }: CreateApiKeyInput,
    @Ctx() { scope, apiKeyService }: AccountsContext,
  ): Promise<CreateApiKeyPayload> {
    const { apiKey, secret } = await apiKeyService.create(requireCaller(scope), name);
    return { apiKey: apiKeyView(apiKey), key: secret };
  }

  @Mutation(() => ExchangeAccessTokenPayload, {
    nullable: true,
    description: 'Trades an access token for a key that does not expire, named after the machine it is for.',
  })
  async exchangeAccessToken(
    @Arg('input', () => ExchangeAccessTokenInput, { description: 'What the key is for.' })
    { hostname }: ExchangeAccessTokenInput,
    @Ctx() { scope, apiKeyService }: AccountsContext,
  ): Promise<ExchangeAccessTokenPayload> {
    const { apiKey, secret } = await apiKeyService.exchange(requireCaller(scope), hostname ?? null);
    return { apiKey: apiKeyView(apiKey), key: secret };
  }

  @Mutation(() => RevokeApiKeyPayload, { nullable: true, description: 'Revokes a key: it stops working at once.' })
  async revokeApiKey(
    @Arg('input', () => RevokeApiKeyInput, { description: 'The key to revoke.' }) { identifier }: RevokeApiKeyInput,
    @Ctx() { scope, apiKeyService, apiKeys }: AccountsContext,
  ): Promise<RevokeApiKeyPayload> {
    const id = await apiKeyService.revoke(requireCaller(scope), identifier);
    apiKeys.clear(id);
    return { id: KeyId.format(id), revoked: true };
  }
}

async function loadApiKey(context: AccountsContext, id: string): Promise<ApiKey | null> {
  const keyId = KeyId.parse(id);
  const found = keyId === null ? null : await context.apiKeys.load(keyId);
  return found && apiKeyView(found);
}

export const apiKeyReference: ReferenceResolver<AccountsContext> = ({ id }, context) => loadApiKey(context, String(id));
