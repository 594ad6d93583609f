/** What other parts of the platform call around each run that costs something. */
import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { requireInternal } from '../../../platform/scope.js';
import type { Payer } from '../account/spending.service.js';
import type { BillingContext } from '../context.js';
import {
  InternalCharge,
  type InternalPayerInput,
  InternalRelease,
  InternalReleaseInput,
  InternalReservation,
  InternalReserveInput,
  InternalSettleInput,
} from './run.type.js';

@Resolver()
export class RunResolver {
  @Mutation(() => InternalReservation, { nullable: true, description: 'Holds money for a run, or refuses.' })
  @Directive('@inaccessible')
  internalReserve(
    @Arg('input', () => InternalReserveInput, { description: 'What to hold.' })
    { payer, renew, fresh, ...request }: InternalReserveInput,
    @Ctx() { scope, spending }: BillingContext,
  ): Promise<InternalReservation> {
    requireInternal(scope);
    const told = { renew: renew ?? false, fresh: fresh ?? false };
    return spending.reserve({ ...request, payer: payerOf(payer), ...told });
  }

  @Mutation(() => InternalCharge, { nullable: true, description: 'Charges a run what it came to, once.' })
  @Directive('@inaccessible')
  async internalSettle(
    @Arg('input', () => InternalSettleInput, { description: 'What it came to.' })
    { runId, payer, amount }: InternalSettleInput,
    @Ctx() { scope, spending }: BillingContext,
  ): Promise<InternalCharge> {
    requireInternal(scope);
    return { charged: (await spending.settle(payerOf(payer), runId, amount)).amount };
  }

  @Mutation(() => InternalRelease, { nullable: true, description: 'Gives back what is held for a run.' })
  @Directive('@inaccessible')
  async internalRelease(
    @Arg('input', () => InternalReleaseInput, { description: 'Which run.' }) { runId, payer }: InternalReleaseInput,
    @Ctx() { scope, spending }: BillingContext,
  ): Promise<InternalRelease> {
    requireInternal(scope);
    return { released: await spending.release(payerOf(payer), runId) };
  }
}

function payerOf({ userId, createdAt, suspended, network }: InternalPayerInput): Payer {
  if (userId && createdAt) return { userId, createdAt, suspended: suspended ?? false };
  if (network) return { userId: null, network };
  throw Problem.invalid('payer', 'must name an account and its age, or a network');
}
