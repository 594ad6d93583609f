/** The objects that Stripe keeps, with the members that its API answers and this product reads. */

export interface Customer {
  id: string;
  object: 'customer';
  created: number;
  email: string | null;
  deleted?: boolean;
  invoice_settings: { default_payment_method: string | null };
  metadata: Record<string, string>;
}

export type CardBehaviour = 'good' | 'declined' | 'authentication_required';

export interface PaymentMethod {
  id: string;
  object: 'payment_method';
  created: number;
  type: 'card';
  customer: string | null;
  card: { brand: string; last4: string; exp_month: number; exp_year: number };
  /** Not part of Stripe's answer: what a charge of this card comes to. */
  behaviour: CardBehaviour;
}

export interface Product {
  id: string;
  object: 'product';
  name: string;
}

export interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  created: number;
  amount: number;
  amount_received: number;
  currency: string;
  customer: string;
  status: string;
  latest_charge: string | null;
  metadata: Record<string, string>;
  last_payment_error: object | null;
}

export interface Charge {
  id: string;
  object: 'charge';
  created: number;
  amount: number;
  amount_refunded: number;
  refunded: boolean;
  disputed: boolean;
  paid: boolean;
  customer: string;
  payment_intent: string;
}

export interface Refund {
  id: string;
  object: 'refund';
  created: number;
  amount: number;
  charge: string;
  payment_intent: string;
  status: string;
}

export interface Dispute {
  id: string;
  object: 'dispute';
  created: number;
  amount: number;
  charge: string;
  payment_intent: string;
  status: string;
}

export interface Session {
  id: string;
  object: 'checkout.session';
  created: number;
  expires_at: number;
  mode: 'payment' | 'subscription';
  status: 'open' | 'complete' | 'expired';
  payment_status: 'paid' | 'unpaid';
  customer: string;
  payment_intent: string | null;
  subscription: string | null;
  metadata: Record<string, string>;
  success_url: string;
  cancel_url: string;
  url: string | null;
  /** Not part of Stripe's answer: what completing it makes. */
  order: { amount: number; product: string; innerMetadata: Record<string, string> };
}

export interface Subscription {
  id: string;
  object: 'subscription';
  created: number;
  customer: string;
  status: string;
  cancel_at_period_end: boolean;
  canceled_at: number | null;
  ended_at: number | null;
  latest_invoice: string | null;
  metadata: Record<string, string>;
  items: {
    object: 'list';
    data: {
      id: string;
      object: 'subscription_item';
      current_period_start: number;
      current_period_end: number;
      quantity: number;
      price: { id: string; object: 'price'; product: string; unit_amount: number; currency: string };
    }[];
    has_more: false;
    url: string;
  };
}

export interface InvoiceLine {
  id: string;
  object: 'line_item';
  amount: number;
  quantity: number;
  period: { start: number; end: number };
  parent: { type: 'subscription_item_details'; subscription_item_details: { proration: boolean } };
  pricing: { type: 'price_details'; price_details: { price: string; product: string } };
}

export interface Invoice {
  id: string;
  object: 'invoice';
  created: number;
  customer: string;
  status: string;
  billing_reason: string;
  amount_due: number;
  amount_paid: number;
  currency: string;
  parent: { type: 'subscription_details'; subscription_details: { subscription: string } };
  lines: { object: 'list'; data: InvoiceLine[]; has_more: false; url: string };
}

export interface InvoicePayment {
  id: string;
  object: 'invoice_payment';
  created: number;
  invoice: string;
  amount_paid: number;
  status: string;
  payment: { type: 'payment_intent'; payment_intent: string };
}

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  type: string;
  livemode: boolean;
  pending_webhooks: number;
  request: null;
  data: { object: object };
}

/** Everything of one account, by id. */
export class Ledger {
  readonly customers = new Map<string, Customer>();
  readonly paymentMethods = new Map<string, PaymentMethod>();
  readonly products = new Map<string, Product>();
  readonly paymentIntents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly sessions = new Map<string, Session>();
  readonly subscriptions = new Map<string, Subscription>();
  readonly invoices = new Map<string, Invoice>();
  readonly invoicePayments = new Map<string, InvoicePayment>();
  readonly events: StripeEvent[] = [];
}
