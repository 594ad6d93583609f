import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import { requireCaller } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';
import { PurchaseCreditsInput, PurchaseCreditsPayload, purchaseView } from './purchase.type.js';

@Resolver()
export class PurchaseResolver {
  @Mutation(() => PurchaseCreditsPayload, { nullable: true, description: 'Buys a pack with the saved card.' })
  @NeedsScope('generate')
  async purchaseCredits(
    @Arg('input', () => PurchaseCreditsInput, { description: 'The pack, and the key of the purchase.' })
    input: PurchaseCreditsInput,
    @Ctx() { scope, purchaseService, entitlementService }: BillingContext,
  ): Promise<PurchaseCreditsPayload> {
    const caller = requireCaller(scope);
    const purchase = await purchaseService.buy(caller, input);
    return purchaseView(purchase, (await entitlementService.credits(caller)).purchased);
  }
}
