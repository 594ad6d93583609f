import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import { requireInternal } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import { InternalAnnounceGatewayInput, InternalGatewayRoster } from './gateway.type.js';

@Resolver()
export class GatewayResolver {
  @Mutation(() => InternalGatewayRoster, { description: 'Notes that a gateway runs, and tells who else does.' })
  @Directive('@inaccessible')
  internalAnnounceGateway(
    @Arg('input', () => InternalAnnounceGatewayInput, { description: 'The gateway.' })
    input: InternalAnnounceGatewayInput,
    @Ctx() { scope, gatewayService }: AccountsContext,
  ): Promise<InternalGatewayRoster> {
    requireInternal(scope);
    return gatewayService.announce(input);
  }
}
