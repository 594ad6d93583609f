import { Arg, Ctx, Directive, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { requireInternal } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';

@InputType({ description: 'An event as it arrived.' })
@Directive('@inaccessible')
export class InternalPaymentEventInput {
  @Field(() => String, { description: 'The body, to the byte.' })
  payload!: string;

  @Field(() => String, { description: 'The header that vouches for it.' })
  signature!: string;
}

@ObjectType({ description: 'An event that was taken in.' })
@Directive('@inaccessible')
export class InternalPaymentEventPayload {
  @Field(() => Boolean, { description: 'False for one that came before, or that is about nothing here.' })
  applied!: boolean;
}

@Resolver()
export class WebhookResolver {
  @Mutation(() => InternalPaymentEventPayload, {
    nullable: true,
    description: 'Takes in an event of the payment service.',
  })
  @Directive('@inaccessible')
  async internalPaymentEvent(
    @Arg('input', () => InternalPaymentEventInput, { description: 'The event.' })
    { payload, signature }: InternalPaymentEventInput,
    @Ctx() { scope, webhookService }: BillingContext,
  ): Promise<InternalPaymentEventPayload> {
    requireInternal(scope);
    return { applied: await webhookService.receive(payload, signature) };
  }
}
