/** What Stripe knows of the payments that bought something here. */
import type Stripe from 'stripe';
import type { CustomerService } from '../customer/customer.service.js';
import { type PaidPlanId, PLAN_RANK, PLANS, packOf, planOfProduct } from '../plan/catalogue.js';
import { ask, fromSeconds, idOf, isMissing } from '../stripe/stripe.js';
import type { Month, PaymentState } from './payment.model.js';

/** Money is with the customer's bank, or may be soon. An inquiry and a won dispute take none. */
const WITHDRAWN = new Set(['needs_response', 'under_review', 'lost', 'appeal_needs_response', 'appeal_under_review']);

export class PaymentReader {
  readonly #stripe: Stripe;
  readonly #customers: CustomerService;

  constructor(stripe: Stripe, customers: CustomerService) {
    this.#stripe = stripe;
    this.#customers = customers;
  }

  /** The pack that a payment intent paid for. Null: it paid for none, or is of a customer of somebody else. */
  async pack(intentId: string): Promise<PaymentState | null> {
    const intent = await this.intent(intentId);
    if (!intent) return null;
    const { metadata, customer, status } = intent;
    const item = metadata['pack_id'] ?? '';
    const pack = packOf(item);
    const owner = await this.#ownerOf(customer);
    if (!pack || owner === null || status !== 'succeeded') return null;
    const netCents = await this.#kept(intent);
    const { amount_received: paidCents } = intent;
    return { userId: owner, item, credits: pack.credits, month: null, paidCents, netCents, committedCents: netCents };
  }

  /** The month of a plan that an invoice paid for. */
  async month(invoiceId: string): Promise<PaymentState | null> {
    const invoice = await this.#invoice(invoiceId);
    const owner = invoice && (await this.#ownerOf(invoice.customer));
    if (!invoice || owner === null || invoice.status !== 'paid') return null;
    const bought = boughtBy(invoice);
    if (!bought) return null;
    const intents = await this.#intentsOf(invoice);
    const kept = await Promise.all(intents.map((intent) => this.#kept(intent)));
    const paidCents = intents.reduce((sum, { amount_received }) => sum + amount_received, 0);
    const netCents = kept.reduce((sum, cents) => sum + cents, 0);
    const committedCents = PLANS[bought.plan].countsTowardsMilestone ? netCents : 0;
    const { plan: item, credits, month } = bought;
    return { userId: owner, item, credits, month, paidCents, netCents, committedCents };
  }

  /** Null: Stripe knows none by that id. */
  intent(id: string): Promise<Stripe.PaymentIntent | null> {
    return orNull(ask(this.#stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })));
  }

  /** The invoices that a payment intent paid. */
  async invoicesOf(intentId: string): Promise<string[]> {
    const payment = { type: 'payment_intent', payment_intent: intentId };
    const { data } = await ask(this.#stripe.invoicePayments.list({ payment, limit: 100 }));
    return data.flatMap(({ invoice }) => idOf(invoice) ?? []);
  }

  /** Refunds the payments of an invoice in full. To do it again does nothing. */
  async refund(invoiceId: string): Promise<void> {
    const invoice = await this.#invoice(invoiceId);
    for (const intent of invoice ? await this.#intentsOf(invoice) : []) {
      if ((await this.#kept(intent)) === 0) continue;
      const refund = { payment_intent: intent.id, reason: 'duplicate' as const };
      await ask(this.#stripe.refunds.create(refund, { idempotencyKey: `darkroom-duplicate-${intent.id}` }));
    }
  }

  async #ownerOf(customer: string | { id: string } | null): Promise<string | null> {
    const customerId = idOf(customer);
    if (customerId === null) return null;
    return (await this.#customers.byStripeId(customerId))?._id ?? null;
  }

  #invoice(id: string): Promise<Stripe.Invoice | null> {
    return orNull(ask(this.#stripe.invoices.retrieve(id, { expand: ['payments'] })));
  }

  async #intentsOf({ payments }: Stripe.Invoice): Promise<Stripe.PaymentIntent[]> {
    const paid = payments?.data.filter(({ status }) => status === 'paid') ?? [];
    const ids = paid.flatMap(({ payment }) => idOf(payment.payment_intent) ?? []);
    return (await Promise.all(ids.map((id) => this.intent(id)))).filter((intent) => intent !== null);
  }

  /** What is left of a payment after refunds and disputes. The intent comes with its charge. */
  async #kept({ id, amount_received, latest_charge }: Stripe.PaymentIntent): Promise<number> {
    if (latest_charge === null || typeof latest_charge === 'string') return amount_received;
    const disputes = latest_charge.disputed
      ? (await ask(this.#stripe.disputes.list({ payment_intent: id, limit: 100 }))).data
      : [];
    const withdrawn = disputes
      .filter(({ status }) => WITHDRAWN.has(status))
      .reduce((sum, { amount }) => sum + amount, 0);
    return Math.max(0, amount_received - latest_charge.amount_refunded - withdrawn);
  }
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

interface Bought {
  plan: PaidPlanId;
  credits: number;
  month: Month;
}

/**
 * A change of plan within a month has lines that give back and lines that take: credits follow the money. Who takes a
 * lesser plan is paid back by Stripe, and gives credits back here; else a month of the greater one would cost the lesser.
 */
function boughtBy({ id, lines, parent }: Stripe.Invoice): Bought | null {
  const ours = lines.data.flatMap((line) => {
    const plan = planOfProduct(line.pricing?.price_details?.product ?? '');
    return plan ? [{ plan, line }] : [];
  });
  const taken = ours.filter(({ line }) => line.amount >= 0);
  const [best] = (taken.length > 0 ? taken : ours).toSorted((a, b) => PLAN_RANK[b.plan] - PLAN_RANK[a.plan]);
  if (!best) return null;
  const { plan } = best;
  const subscription = `${idOf(parent?.subscription_details?.subscription) ?? id}:${plan}`;
  const periodEnd = fromSeconds(Math.max(...ours.map(({ line }) => line.period.end)));
  return {
    plan,
    credits: Math.trunc(ours.reduce((sum, one) => sum + creditsOfLine(one.line, one.plan), 0)),
    month: { subscription, periodEnd, upTo: PLANS[plan].rollOver?.upTo ?? null },
  };
}

function creditsOfLine({ amount, quantity, parent }: Stripe.InvoiceLineItem, plan: PaidPlanId): number {
  const { credits, priceCents } = PLANS[plan];
  const prorated = parent?.subscription_item_details?.proration ?? parent?.invoice_item_details?.proration;
  return prorated ? (amount * credits) / priceCents : (quantity ?? 1) * credits;
}
