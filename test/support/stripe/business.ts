/** What happens at Stripe when people pay, cancel, ask for their money back: state changes, and the events that tell. */
import {
  type Charge,
  type Dispute,
  type Invoice,
  type InvoiceLine,
  Ledger,
  type PaymentIntent,
  type PaymentMethod,
  type Refund,
  type Session,
  type StripeEvent,
  type Subscription,
} from './objects.js';

const API_VERSION = '2026-10-28.endive';
const MONTH = 30 * 86_400;

/** A refusal as Stripe words it. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: Record<string, unknown>;

  constructor(status: number, error: Record<string, unknown>) {
    super(String(error['message']));
    this.status = status;
    this.error = error;
  }
}

export function missing(what: string, id: string): Refusal {
  return new Refusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param: 'id',
  });
}

export function invalid(message: string): Refusal {
  return new Refusal(400, { type: 'invalid_request_error', message });
}

export function need<T>(map: ReadonlyMap<string, T>, id: string | null | undefined, what: string): T {
  const found = map.get(id ?? '');
  if (!found) throw missing(what, id ?? '');
  return found;
}

export class Business {
  readonly ledger = new Ledger();
  readonly #now: () => Date;
  #count = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  seconds(): number {
    return Math.floor(this.#now().getTime() / 1000);
  }

  id(prefix: string): string {
    this.#count += 1;
    return `${prefix}_${process.pid.toString(36)}${this.#count.toString(36).padStart(6, '0')}`;
  }

  emit(type: string, object: object): StripeEvent {
    const event: StripeEvent = {
      id: this.id('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: this.seconds(),
      type,
      livemode: false,
      pending_webhooks: 1,
      request: null,
      data: { object: structuredClone(object) },
    };
    this.ledger.events.push(event);
    return event;
  }

  saveCard(customer: string, behaviour: PaymentMethod['behaviour'] = 'good'): PaymentMethod {
    const method: PaymentMethod = {
      id: this.id('pm'),
      object: 'payment_method',
      created: this.seconds(),
      type: 'card',
      customer,
      card: { brand: 'visa', last4: behaviour === 'good' ? '4242' : '0341', exp_month: 1, exp_year: 2099 },
      behaviour,
    };
    this.ledger.paymentMethods.set(method.id, method);
    this.emit('payment_method.attached', method);
    return method;
  }

  detachCard(id: string): void {
    const method = need(this.ledger.paymentMethods, id, 'payment_method');
    method.customer = null;
    this.emit('payment_method.detached', method);
  }

  /** Takes the money of a payment intent whose card is good. */
  capture(intent: PaymentIntent): Charge {
    const charge: Charge = {
      id: this.id('ch'),
      object: 'charge',
      created: this.seconds(),
      amount: intent.amount,
      amount_refunded: 0,
      refunded: false,
      disputed: false,
      paid: true,
      customer: intent.customer,
      payment_intent: intent.id,
    };
    this.ledger.charges.set(charge.id, charge);
    intent.status = 'succeeded';
    intent.amount_received = intent.amount;
    intent.latest_charge = charge.id;
    this.emit('payment_intent.succeeded', intent);
    return charge;
  }

  intent(customer: string, amount: number, metadata: Record<string, string>): PaymentIntent {
    const intent: PaymentIntent = {
      id: this.id('pi'),
      object: 'payment_intent',
      created: this.seconds(),
      amount,
      amount_received: 0,
      currency: 'usd',
      customer,
      status: 'requires_payment_method',
      latest_charge: null,
      metadata,
      last_payment_error: null,
    };
    this.ledger.paymentIntents.set(intent.id, intent);
    return intent;
  }

  /** The customer pays on the hosted page. */
  completeCheckout(id: string): Session {
    const session = need(this.ledger.sessions, id, 'checkout.session');
    if (session.status !== 'open') throw invalid(`the session is ${session.status}`);
    const { order, customer } = session;
    if (session.mode === 'payment') {
      const intent = this.intent(customer, order.amount, order.innerMetadata);
      session.payment_intent = intent.id;
      this.capture(intent);
    } else {
      session.subscription = this.subscribe(customer, order.product, order.amount, order.innerMetadata).id;
    }
    session.status = 'complete';
    session.payment_status = 'paid';
    session.url = null;
    this.saveCard(customer);
    this.emit('checkout.session.completed', session);
    return session;
  }

  subscribe(customer: string, product: string, amount: number, metadata: Record<string, string> = {}): Subscription {
    const start = this.seconds();
    const id = this.id('sub');
    const subscription: Subscription = {
      id,
      object: 'subscription',
      created: start,
      customer,
      status: 'active',
      cancel_at_period_end: false,
      canceled_at: null,
      ended_at: null,
      latest_invoice: null,
      metadata,
      items: {
        object: 'list',
        data: [
          {
            id: this.id('si'),
            object: 'subscription_item',
            current_period_start: start,
            current_period_end: start + MONTH,
            quantity: 1,
            price: { id: this.id('price'), object: 'price', product, unit_amount: amount, currency: 'usd' },
          },
        ],
        has_more: false,
        url: '/v1/subscription_items',
      },
    };
    this.ledger.subscriptions.set(id, subscription);
    this.emit('customer.subscription.created', subscription);
    this.#bill(subscription, 'subscription_create', true);
    return subscription;
  }

  #item(subscription: Subscription) {
    const [item] = subscription.items.data;
    if (!item) throw new Error('a subscription has an item');
    return item;
  }

  #invoice(subscription: Subscription, reason: string, lines: InvoiceLine[]): Invoice {
    const due = Math.max(
      0,
      lines.reduce((sum, { amount }) => sum + amount, 0),
    );
    const invoice: Invoice = {
      id: this.id('in'),
      object: 'invoice',
      created: this.seconds(),
      customer: subscription.customer,
      status: 'open',
      billing_reason: reason,
      amount_due: due,
      amount_paid: 0,
      currency: 'usd',
      parent: { type: 'subscription_details', subscription_details: { subscription: subscription.id } },
      lines: { object: 'list', data: lines, has_more: false, url: '/v1/invoices/lines' },
    };
    this.ledger.invoices.set(invoice.id, invoice);
    subscription.latest_invoice = invoice.id;
    return invoice;
  }

  #line(price: { id: string; product: string }, amount: number, period: InvoiceLine['period'], proration: boolean) {
    const line: InvoiceLine = {
      id: this.id('il'),
      object: 'line_item',
      amount,
      quantity: 1,
      period,
      parent: { type: 'subscription_item_details', subscription_item_details: { proration } },
      pricing: { type: 'price_details', price_details: { price: price.id, product: price.product } },
    };
    return line;
  }

  #bill(subscription: Subscription, reason: string, paid: boolean): Invoice {
    const item = this.#item(subscription);
    const period = { start: item.current_period_start, end: item.current_period_end };
    const { price } = item;
    const invoice = this.#invoice(subscription, reason, [this.#line(price, price.unit_amount, period, false)]);
    this.#collect(invoice, paid);
    return invoice;
  }

  #collect(invoice: Invoice, paid: boolean): void {
    if (invoice.amount_due === 0) {
      this.#paid(invoice);
      return;
    }
    const intent = this.intent(invoice.customer, invoice.amount_due, {});
    const payment = {
      id: this.id('inpay'),
      object: 'invoice_payment' as const,
      created: this.seconds(),
      invoice: invoice.id,
      amount_paid: paid ? invoice.amount_due : 0,
      status: paid ? 'paid' : 'open',
      payment: { type: 'payment_intent' as const, payment_intent: intent.id },
    };
    this.ledger.invoicePayments.set(payment.id, payment);
    if (!paid) {
      this.emit('invoice.payment_failed', invoice);
      return;
    }
    this.capture(intent);
    this.#paid(invoice);
  }

  #paid(invoice: Invoice): void {
    invoice.status = 'paid';
    invoice.amount_paid = invoice.amount_due;
    this.emit('invoice.paid', invoice);
    this.emit('invoice.payment_succeeded', invoice);
  }

  /** A new month begins; the card is charged, or refuses. */
  renew(id: string, paid = true): Invoice {
    const subscription = need(this.ledger.subscriptions, id, 'subscription');
    const item = this.#item(subscription);
    item.current_period_start = item.current_period_end;
    item.current_period_end += MONTH;
    subscription.status = paid ? 'active' : 'past_due';
    this.emit('customer.subscription.updated', subscription);
    return this.#bill(subscription, 'subscription_cycle', paid);
  }

  /** The subscriber takes another plan in the middle of a month, at once and pro rata. */
  changePlan(id: string, product: string, amount: number, share: number): Invoice {
    const subscription = need(this.ledger.subscriptions, id, 'subscription');
    const item = this.#item(subscription);
    const period = { start: this.seconds(), end: item.current_period_end };
    const old = item.price;
    item.price = { id: this.id('price'), object: 'price', product, unit_amount: amount, currency: 'usd' };
    this.emit('customer.subscription.updated', subscription);
    const invoice = this.#invoice(subscription, 'subscription_update', [
      this.#line(old, -Math.round(old.unit_amount * share), period, true),
      this.#line(item.price, Math.round(amount * share), period, true),
    ]);
    this.#collect(invoice, true);
    return invoice;
  }

  cancelAtPeriodEnd(id: string): void {
    const subscription = need(this.ledger.subscriptions, id, 'subscription');
    subscription.cancel_at_period_end = true;
    this.emit('customer.subscription.updated', subscription);
  }

  end(id: string): Subscription {
    const subscription = need(this.ledger.subscriptions, id, 'subscription');
    if (subscription.status === 'canceled') throw missing('subscription', id);
    subscription.status = 'canceled';
    subscription.canceled_at = this.seconds();
    subscription.ended_at = this.seconds();
    this.emit('customer.subscription.deleted', subscription);
    return subscription;
  }

  refund(paymentIntent: string, amount?: number): Refund {
    const intent = need(this.ledger.paymentIntents, paymentIntent, 'payment_intent');
    const charge = need(this.ledger.charges, intent.latest_charge, 'charge');
    const left = charge.amount - charge.amount_refunded;
    if (left === 0) {
      throw new Refusal(400, {
        type: 'invalid_request_error',
        code: 'charge_already_refunded',
        message: 'Charge has already been refunded.',
      });
    }
    const refund: Refund = {
      id: this.id('re'),
      object: 'refund',
      created: this.seconds(),
      amount: Math.min(amount ?? left, left),
      charge: charge.id,
      payment_intent: paymentIntent,
      status: 'succeeded',
    };
    this.ledger.refunds.set(refund.id, refund);
    charge.amount_refunded += refund.amount;
    charge.refunded = charge.amount_refunded === charge.amount;
    this.emit('refund.created', refund);
    this.emit('charge.refunded', charge);
    return refund;
  }

  /** A refund that the bank sent back. */
  failRefund(id: string): void {
    const refund = need(this.ledger.refunds, id, 'refund');
    const charge = need(this.ledger.charges, refund.charge, 'charge');
    refund.status = 'failed';
    charge.amount_refunded -= refund.amount;
    charge.refunded = false;
    this.emit('refund.failed', refund);
  }

  dispute(paymentIntent: string): Dispute {
    const intent = need(this.ledger.paymentIntents, paymentIntent, 'payment_intent');
    const charge = need(this.ledger.charges, intent.latest_charge, 'charge');
    const dispute: Dispute = {
      id: this.id('dp'),
      object: 'dispute',
      created: this.seconds(),
      amount: charge.amount - charge.amount_refunded,
      charge: charge.id,
      payment_intent: paymentIntent,
      status: 'needs_response',
    };
    charge.disputed = true;
    this.ledger.disputes.set(dispute.id, dispute);
    this.emit('charge.dispute.created', dispute);
    return dispute;
  }

  closeDispute(id: string, status: 'won' | 'lost'): void {
    const dispute = need(this.ledger.disputes, id, 'dispute');
    dispute.status = status;
    this.emit('charge.dispute.closed', dispute);
  }

  /** The payment intent behind an invoice. */
  intentOf(invoice: string): string {
    const payment = [...this.ledger.invoicePayments.values()].find((one) => one.invoice === invoice);
    if (!payment) throw new Error('the invoice has no payment');
    return payment.payment.payment_intent;
  }
}
