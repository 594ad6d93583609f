import { Arg, Ctx, Directive, Query, Resolver } from 'type-graphql';
import type { CredentialKind } from '../../../platform/credentials.js';
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
    @Arg('kind', () => String, { description: 'USER_KEY or TENANT_KEY.' }) kind: string,
    @Arg('hash', () => String, { description: 'SHA-256 of the credential in base64url.' }) hash: string,
    @Ctx() context: AccountsContext,
  ): Promise<InternalCaller | null> {
    requireInternal(context.scope);
    return HOLDERS[kind as CredentialKind]?.(context, hash) ?? null;
  }
}

const HOLDERS: Readonly<Record<CredentialKind, (context: AccountsContext, hash: string) => Promise<Caller | null>>> = {
  USER_KEY: ({ apiKeyService }, hash) => apiKeyService.holder(hash),
  TENANT_KEY: ({ tenantService }, hash) => tenantService.holder(hash),
};
