import { Arg, Ctx, Directive, Query, Resolver } from 'type-graphql';
import type { CredentialKind } from '../../../platform/credentials.js';
import { Problem } from '../../../platform/errors.js';
import { type Caller, requireInternal } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import { InternalCaller } from './credential.type.js';

@Resolver()
export class CredentialResolver {
  @Query(() => InternalCaller, {
    nullable: true,
    description: 'Whom a credential belongs to; null when it is unknown. Counts as a use of it.',
  })
  @Directive('@inaccessible')
  async internalCaller(
    @Arg('kind', () => String, { description: 'USER_KEY, TENANT_KEY or ACCESS_TOKEN.' }) kind: string,
    @Arg('hash', () => String, { description: 'SHA-256 of the credential in base64url.' }) hash: string,
    @Ctx() context: AccountsContext,
  ): Promise<InternalCaller | null> {
    requireInternal(context.scope);
    return HOLDERS[kind as CredentialKind]?.(context, hash) ?? null;
  }

  @Query(() => [String], {
    description: 'Which of these credentials are good at this moment. At most a thousand at a time; no use of them.',
  })
  @Directive('@inaccessible')
  async internalGoodCredentials(
    @Arg('kind', () => String, { description: 'USER_KEY, TENANT_KEY or ACCESS_TOKEN.' }) kind: string,
    @Arg('hashes', () => [String], { description: 'SHA-256 of each credential in base64url.' }) hashes: string[],
    @Ctx() context: AccountsContext,
  ): Promise<string[]> {
    requireInternal(context.scope);
    if (hashes.length > MOST_AT_ONCE) throw Problem.invalid('hashes', `must be at most ${MOST_AT_ONCE}`);
    return GOOD[kind as CredentialKind]?.(context, hashes) ?? [];
  }
}

const MOST_AT_ONCE = 1_000;

const GOOD: Readonly<Record<CredentialKind, (context: AccountsContext, hashes: string[]) => Promise<string[]>>> = {
  USER_KEY: ({ apiKeyService }, hashes) => apiKeyService.good(hashes),
  TENANT_KEY: ({ tenantService }, hashes) => tenantService.good(hashes),
  ACCESS_TOKEN: ({ grantService }, hashes) => grantService.good(hashes),
};

const HOLDERS: Readonly<Record<CredentialKind, (context: AccountsContext, hash: string) => Promise<Caller | null>>> = {
  USER_KEY: ({ apiKeyService }, hash) => apiKeyService.holder(hash),
  TENANT_KEY: ({ tenantService }, hash) => tenantService.holder(hash),
  ACCESS_TOKEN: ({ grantService }, hash) => grantService.holder(hash),
};
