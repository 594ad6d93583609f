import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireCaller } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';
import { CreateCheckoutInput, CreateCheckoutPayload, CreatePortalPayload } from './checkout.type.js';

@Resolver()
export class CheckoutResolver {
  @Mutation(() => CreateCheckoutPayload, { nullable: true, description: 'Opens a payment page for a plan or a pack.' })
  async createCheckout(
    @Arg('input', () => CreateCheckoutInput, { description: 'What to buy.' }) { plan, packId }: CreateCheckoutInput,
    @Ctx() { scope, checkoutService }: BillingContext,
  ): Promise<CreateCheckoutPayload> {
    const caller = requireCaller(scope);
    return { url: await checkoutService.open(caller, { plan: plan?.toLowerCase() ?? null, packId: packId ?? null }) };
  }

  @Mutation(() => CreatePortalPayload, {
    nullable: true,
    description: 'Opens the page where the caller changes card and plan, and cancels.',
  })
  async createPortal(@Ctx() { scope, checkoutService }: BillingContext): Promise<CreatePortalPayload> {
    return { url: await checkoutService.portal(requireCaller(scope)) };
  }
}
