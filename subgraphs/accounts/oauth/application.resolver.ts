import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { requireCaller } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import {
  applicationView,
  type ConnectedApplication,
  ConnectedApplicationConnection,
  DisconnectApplicationInput,
  DisconnectApplicationPayload,
} from './application.type.js';

@Resolver()
export class ApplicationResolver {
  @Query(() => ConnectedApplicationConnection, {
    nullable: true,
    description: 'Applications and devices that the caller has let in, the newest first.',
  })
  async connectedApplications(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, grantService, oauthClientService, publicUrl }: AccountsContext,
  ): Promise<Connection<ConnectedApplication>> {
    const found = await grantService.list(requireCaller(scope), page);
    const names = await oauthClientService.names(found.items.map(({ clientId }) => clientId));
    return toConnection(found, (grant) => applicationView(grant, names.get(grant.clientId) ?? '', publicUrl));
  }

  @Mutation(() => DisconnectApplicationPayload, {
    nullable: true,
    description: 'Ends what an application was let in for: its tokens stop working at once.',
  })
  async disconnectApplication(
    @Arg('input', () => DisconnectApplicationInput, { description: 'The connection.' })
    { id }: DisconnectApplicationInput,
    @Ctx() { scope, grantService }: AccountsContext,
  ): Promise<DisconnectApplicationPayload> {
    return { id: await grantService.disconnect(requireCaller(scope), id), disconnected: true };
  }
}
