import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import { PlainId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import { type AccountsContext, loadUser } from '../context.js';
import { User } from '../user/user.type.js';
import type { NewTenantKey } from './tenant.service.js';
import {
  CreateTenantInput,
  CreateTenantPayload,
  RotateTenantKeyInput,
  RotateTenantKeyPayload,
  readScopes,
  Tenant,
  TenantConnection,
  tenantView,
} from './tenant.type.js';

@Resolver(() => Tenant)
export class TenantResolver {
  @Query(() => TenantConnection, { nullable: true, description: "The caller's tenants, newest first." })
  async tenants(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, tenantService }: AccountsContext,
  ): Promise<Connection<Tenant>> {
    return toConnection(await tenantService.list(requireCaller(scope), page), tenantView);
  }

  @Query(() => Tenant, {
    nullable: true,
    description: "One of the caller's tenants; the key of a tenant sees that one.",
  })
  @NeedsScope('read')
  async tenant(
    @Arg('id', () => ID, { description: 'The id of the tenant.' }) id: string,
    @Ctx() context: AccountsContext,
  ): Promise<Tenant> {
    requireCaller(context.scope);
    const found = await loadTenant(context, id);
    if (!found) throw new Problem('not_found', 'Tenant not found.');
    return found;
  }

  @Mutation(() => CreateTenantPayload, { nullable: true, description: 'Makes a tenant, with a key of its own.' })
  async createTenant(
    @Arg('input', () => CreateTenantInput, { description: 'The tenant to make.' }) input: CreateTenantInput,
    @Ctx() { scope, tenantService }: AccountsContext,
  ): Promise<CreateTenantPayload> {
    const scopes = input.scopes && readScopes(input.scopes);
    return shown(await tenantService.create(requireCaller(scope), { ...input, scopes }));
  }

  @Mutation(() => RotateTenantKeyPayload, {
    nullable: true,
    description: 'Replaces the key of a tenant. The old one stops working at once.',
  })
  async rotateTenantKey(
    @Arg('input', () => RotateTenantKeyInput, { description: 'The tenant.' }) { id }: RotateTenantKeyInput,
    @Ctx() { scope, tenantService, tenants }: AccountsContext,
  ): Promise<RotateTenantKeyPayload> {
    const replaced = await tenantService.rotate(requireCaller(scope), id);
    tenants.clear(replaced.tenant._id);
    return shown(replaced);
  }

  @FieldResolver(() => User, { description: 'Whose tenant it is.' })
  async owner(@Ctx() context: AccountsContext, @Root() _tenant: Tenant): Promise<User> {
    // Nobody but its owner sees a tenant.
    const owner = await loadUser(context, requireCaller(context.scope).userId);
    if (!owner) throw new Problem('auth_required');
    return owner;
  }
}

function shown({ tenant, secret }: NewTenantKey): { tenant: Tenant; key: string } {
  return { tenant: tenantView(tenant), key: secret };
}

async function loadTenant({ tenants }: AccountsContext, id: string): Promise<Tenant | null> {
  const tenantId = PlainId.parse(id);
  const found = tenantId === null ? null : await tenants.load(tenantId);
  return found && tenantView(found);
}

export const tenantReference: ReferenceResolver<AccountsContext> = ({ id }, context) => loadTenant(context, String(id));
