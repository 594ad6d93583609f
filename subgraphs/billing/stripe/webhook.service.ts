/**
 * Events of Stripe's. Who sent one is proven by its signature; what it says is not believed beyond which things changed:
 * those are asked for, so that an event which is late, repeated or overtaken changes nothing that is right.
 */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type Stripe from 'stripe';
import { z } from 'zod';
import { Problem } from '../../../platform/errors.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { requireStripe } from '../checkout/checkout.service.js';
import type { CustomerService } from '../customer/customer.service.js';
import type { StandingService } from '../customer/standing.service.js';
import type { PaymentSync } from '../payment/payment.sync.js';
import type { EventDoc } from './event.model.js';
import { fromSeconds } from './stripe.js';

export interface WebhookServiceDeps {
  events: Collection<EventDoc>;
  customerService: CustomerService;
  standing: StandingService;
  sync: PaymentSync | null;
  stripe: Stripe | null;
  webhookSecret: string | null;
  log: Logger;
  now: () => Date;
}

/** Older signatures may be replays of what somebody once overheard. */
const TOLERANCE_SECONDS = 300;
const DAY_MS = 86_400_000;
/** Stripe repeats an event for three days. */
const KEPT_MS = 30 * DAY_MS;

const reference = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .nullish()
  .transform((id) => id ?? null);

/** Of whatever version of the API the event is: only its references are read. */
const objectSchema = z.object({
  id: z.string(),
  object: z.string(),
  customer: reference,
  payment_intent: reference,
  invoice: reference,
});

type Touched = z.infer<typeof objectSchema>;

/** Kinds of things whose events matter here, with what they touch. */
const TOUCHES: Readonly<Record<string, (touched: Touched) => { intent?: string | null; invoice?: string | null }>> = {
  'checkout.session': ({ payment_intent, invoice }) => ({ intent: payment_intent, invoice }),
  payment_intent: ({ id }) => ({ intent: id }),
  charge: ({ payment_intent }) => ({ intent: payment_intent }),
  refund: ({ payment_intent }) => ({ intent: payment_intent }),
  dispute: ({ payment_intent }) => ({ intent: payment_intent }),
  invoice: ({ id }) => ({ invoice: id }),
  subscription: () => ({}),
  payment_method: () => ({}),
  customer: () => ({}),
};

export class WebhookService {
  readonly #deps: WebhookServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: WebhookServiceDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'billing-events', everyMs: 3_600_000, run: () => this.#forgetOld() }];
  }

  /** False when the event was applied before, or is about nothing of ours. */
  async receive(payload: string, signature: string): Promise<boolean> {
    const event = this.#verify(payload, signature);
    const { events, now } = this.#deps;
    if (await events.findOne({ _id: event.id }, { projection: { _id: 1 } })) return false;
    const applied = await this.#apply(event);
    // Noted last: an event whose applying died is sent again, and applying it again does no harm.
    try {
      const { id: _id, type, created } = event;
      await events.insertOne({ _id, type, createdAt: fromSeconds(created), appliedAt: now() });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return applied;
  }

  #verify(payload: string, signature: string): Stripe.Event {
    const stripe = requireStripe(this.#deps.stripe);
    const { webhookSecret, log, now } = this.#deps;
    if (webhookSecret === null) throw new Problem('billing_not_configured');
    try {
      const at = now().getTime();
      return stripe.webhooks.constructEvent(payload, signature, webhookSecret, TOLERANCE_SECONDS, undefined, at);
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message.split('\n', 1)[0] : '' }, 'webhook refused');
      throw new Problem('validation_error', 'The signature of the event is not valid.');
    }
  }

  async #apply(event: Stripe.Event): Promise<boolean> {
    const { sync, standing, customerService, log } = this.#deps;
    const touched = objectSchema.safeParse(event.data.object);
    const touches = touched.success ? TOUCHES[touched.data.object] : undefined;
    if (!touched.success || !touches || !sync) return false;
    const { intent, invoice } = touches(touched.data);
    if (invoice) await sync.invoice(invoice);
    if (intent) await sync.intent(intent);
    const customerId = touched.data.object === 'customer' ? touched.data.id : (touched.data.customer ?? before(event));
    const customer = customerId === null ? null : await customerService.byStripeId(customerId);
    if (!customer || customerId === null) return Boolean(intent ?? invoice);
    await standing.sync(customer._id);
    if (event.type === 'customer.deleted') await customerService.forget(customer._id, customerId);
    log.info({ event: event.id, type: event.type, userId: customer._id }, 'payment event applied');
    return true;
  }

  async #forgetOld(): Promise<void> {
    const { events, now } = this.#deps;
    await events.deleteMany({ appliedAt: { $lt: new Date(now().getTime() - KEPT_MS) } });
  }
}

/** Whose something was that is nobody's any more, such as a card that was taken off. */
function before({ data }: Stripe.Event): string | null {
  const customer = data.previous_attributes?.['customer' as never] as unknown;
  return typeof customer === 'string' ? customer : null;
}
