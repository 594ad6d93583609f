/** Stripe's paths that this product calls, over the business behind them. */
import { type Business, invalid, need, Refusal } from './business.js';
import { type Form, formOf, textOf, textsOf } from './form.js';
import type { PaymentMethod, Session } from './objects.js';

type Handler = (business: Business, form: Form, id: string) => object;

const ROUTES: readonly [method: string, path: RegExp, handler: Handler][] = [
  ['POST', /^\/v1\/customers$/, createCustomer],
  ['GET', /^\/v1\/customers$/, listCustomers],
  ['GET', /^\/v1\/customers\/([^/]+)$/, ({ ledger }, _form, id) => need(ledger.customers, id, 'customer')],
  ['GET', /^\/v1\/customers\/([^/]+)\/payment_methods$/, listPaymentMethods],
  ['POST', /^\/v1\/products$/, createProduct],
  ['POST', /^\/v1\/checkout\/sessions$/, createSession],
  ['GET', /^\/v1\/checkout\/sessions$/, listSessions],
  [
    'GET',
    /^\/v1\/checkout\/sessions\/([^/]+)$/,
    ({ ledger }, _form, id) => publicSession(need(ledger.sessions, id, 'checkout.session')),
  ],
  ['POST', /^\/v1\/checkout\/sessions\/([^/]+)\/expire$/, expireSession],
  ['POST', /^\/v1\/billing_portal\/sessions$/, createPortal],
  ['POST', /^\/v1\/payment_intents$/, createIntent],
  ['GET', /^\/v1\/payment_intents$/, listIntents],
  ['GET', /^\/v1\/payment_intents\/([^/]+)$/, retrieveIntent],
  ['GET', /^\/v1\/charges\/([^/]+)$/, ({ ledger }, _form, id) => need(ledger.charges, id, 'charge')],
  ['GET', /^\/v1\/disputes$/, listDisputes],
  ['POST', /^\/v1\/refunds$/, createRefund],
  ['GET', /^\/v1\/subscriptions$/, listSubscriptions],
  ['DELETE', /^\/v1\/subscriptions\/([^/]+)$/, (business, _form, id) => business.end(id)],
  ['GET', /^\/v1\/invoices\/([^/]+)$/, retrieveInvoice],
  ['GET', /^\/v1\/invoice_payments$/, listInvoicePayments],
];

export function respond(business: Business, method: string, path: string, form: Form): object {
  for (const [verb, pattern, handler] of ROUTES) {
    const match = verb === method ? pattern.exec(path) : null;
    if (match) return handler(business, form, decodeURIComponent(match[1] ?? ''));
  }
  throw new Refusal(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}).`,
  });
}

function list(url: string, data: object[], form: Form): object {
  const after = textOf(form, 'starting_after');
  const ids = data.map((one) => (one as { id: string }).id);
  const from = after === undefined ? 0 : ids.indexOf(after) + 1;
  const limit = Number(textOf(form, 'limit') ?? 10);
  return { object: 'list', url, data: data.slice(from, from + limit), has_more: data.length > from + limit };
}

/** As Stripe does: the newest first. */
function newest<T>(map: ReadonlyMap<string, T>, matches: (one: T) => boolean): T[] {
  return [...map.values()].filter(matches).reverse();
}

function createCustomer(business: Business, form: Form): object {
  const customer = {
    id: business.id('cus'),
    object: 'customer' as const,
    created: business.seconds(),
    email: textOf(form, 'email') ?? null,
    invoice_settings: { default_payment_method: null },
    metadata: textsOf(formOf(form, 'metadata')),
  };
  business.ledger.customers.set(customer.id, customer);
  return customer;
}

function listCustomers({ ledger }: Business, form: Form): object {
  const email = textOf(form, 'email');
  return list(
    '/v1/customers',
    newest(ledger.customers, (one) => email === undefined || one.email === email),
    form,
  );
}

function publicMethod({ behaviour: _, ...method }: PaymentMethod): object {
  return method;
}

function listPaymentMethods({ ledger }: Business, form: Form, id: string): object {
  need(ledger.customers, id, 'customer');
  const cards = newest(ledger.paymentMethods, ({ customer }) => customer === id);
  return list(`/v1/customers/${id}/payment_methods`, cards.map(publicMethod), form);
}

function createProduct({ ledger }: Business, form: Form): object {
  const id = textOf(form, 'id') ?? '';
  if (ledger.products.has(id)) {
    throw new Refusal(400, {
      type: 'invalid_request_error',
      code: 'resource_already_exists',
      message: `Product already exists: ${id}`,
    });
  }
  const product = { id, object: 'product' as const, name: textOf(form, 'name') ?? '' };
  ledger.products.set(id, product);
  return product;
}

function publicSession({ order: _, ...session }: Session): object {
  return session;
}

function createSession(business: Business, form: Form): object {
  const customer = need(business.ledger.customers, textOf(form, 'customer'), 'customer').id;
  const mode = textOf(form, 'mode') === 'subscription' ? 'subscription' : 'payment';
  const priced = formOf(formOf(formOf(form, 'line_items'), '0'), 'price_data');
  const amount = Number(textOf(priced, 'unit_amount'));
  const product = textOf(priced, 'product');
  if (!Number.isInteger(amount) || amount <= 0) throw invalid('Invalid integer: unit_amount');
  if (product !== undefined) need(business.ledger.products, product, 'product');
  const expires = Number(textOf(form, 'expires_at') ?? business.seconds() + 86_400);
  const lifetime = expires - business.seconds();
  if (lifetime < 1_800 || lifetime > 86_400)
    throw invalid('The `expires_at` timestamp must be 30 minutes to 24 hours from now.');
  const inner = formOf(form, mode === 'payment' ? 'payment_intent_data' : 'subscription_data');
  const id = business.id('cs');
  const session: Session = {
    id,
    object: 'checkout.session',
    created: business.seconds(),
    expires_at: expires,
    mode,
    status: 'open',
    payment_status: 'unpaid',
    customer,
    payment_intent: null,
    subscription: null,
    metadata: textsOf(formOf(form, 'metadata')),
    success_url: textOf(form, 'success_url') ?? '',
    cancel_url: textOf(form, 'cancel_url') ?? '',
    url: `https://checkout.stripe.example/c/pay/${id}`,
    order: { amount, product: product ?? '', innerMetadata: textsOf(formOf(inner, 'metadata')) },
  };
  business.ledger.sessions.set(id, session);
  return publicSession(session);
}

function listSessions(business: Business, form: Form): object {
  const customer = textOf(form, 'customer');
  const status = textOf(form, 'status');
  const found = newest(
    business.ledger.sessions,
    (one) => one.customer === customer && (status === undefined || one.status === status),
  );
  return list('/v1/checkout/sessions', found.map(publicSession), form);
}

function expireSession(business: Business, _form: Form, id: string): object {
  const session = need(business.ledger.sessions, id, 'checkout.session');
  if (session.status !== 'open') throw invalid(`Only Checkout Sessions with a status in ["open"] can be expired.`);
  session.status = 'expired';
  session.url = null;
  business.emit('checkout.session.expired', publicSession(session));
  return publicSession(session);
}

function createPortal(business: Business, form: Form): object {
  const customer = need(business.ledger.customers, textOf(form, 'customer'), 'customer').id;
  const id = business.id('bps');
  const return_url = textOf(form, 'return_url') ?? null;
  return { id, object: 'billing_portal.session', customer, return_url, url: `https://billing.stripe.example/p/${id}` };
}

function createIntent(business: Business, form: Form): object {
  const customer = need(business.ledger.customers, textOf(form, 'customer'), 'customer').id;
  const method = need(business.ledger.paymentMethods, textOf(form, 'payment_method'), 'payment_method');
  if (method.customer !== customer) throw invalid('The payment method does not belong to the customer.');
  const intent = business.intent(customer, Number(textOf(form, 'amount')), textsOf(formOf(form, 'metadata')));
  if (method.behaviour === 'good') {
    business.capture(intent);
    return intent;
  }
  const authentication = method.behaviour === 'authentication_required';
  const error = {
    type: 'card_error',
    code: authentication ? 'authentication_required' : 'card_declined',
    decline_code: authentication ? 'authentication_required' : 'insufficient_funds',
    message: authentication
      ? 'Your card was declined. This transaction requires authentication.'
      : 'Your card has insufficient funds.',
  };
  intent.last_payment_error = error;
  business.emit('payment_intent.payment_failed', intent);
  throw new Refusal(402, { ...error, payment_intent: structuredClone(intent) });
}

function listIntents({ ledger }: Business, form: Form): object {
  const customer = textOf(form, 'customer');
  return list(
    '/v1/payment_intents',
    newest(ledger.paymentIntents, (one) => one.customer === customer),
    form,
  );
}

function expands(form: Form, name: string): boolean {
  return Object.values(formOf(form, 'expand')).includes(name);
}

function retrieveIntent({ ledger }: Business, form: Form, id: string): object {
  const intent = need(ledger.paymentIntents, id, 'payment_intent');
  if (!expands(form, 'latest_charge') || intent.latest_charge === null) return intent;
  return { ...intent, latest_charge: need(ledger.charges, intent.latest_charge, 'charge') };
}

function listDisputes({ ledger }: Business, form: Form): object {
  const intent = textOf(form, 'payment_intent');
  return list(
    '/v1/disputes',
    newest(ledger.disputes, (one) => one.payment_intent === intent),
    form,
  );
}

function createRefund(business: Business, form: Form): object {
  const amount = textOf(form, 'amount');
  return business.refund(textOf(form, 'payment_intent') ?? '', amount === undefined ? undefined : Number(amount));
}

function listSubscriptions({ ledger }: Business, form: Form): object {
  const customer = textOf(form, 'customer');
  const status = textOf(form, 'status');
  const found = newest(
    ledger.subscriptions,
    (one) => one.customer === customer && (status === 'all' || one.status !== 'canceled'),
  );
  return list('/v1/subscriptions', found, form);
}

function retrieveInvoice({ ledger }: Business, form: Form, id: string): object {
  const invoice = need(ledger.invoices, id, 'invoice');
  if (!expands(form, 'payments')) return invoice;
  const payments = newest(ledger.invoicePayments, (one) => one.invoice === id);
  return { ...invoice, payments: list('/v1/invoice_payments', payments, {}) };
}

function listInvoicePayments({ ledger }: Business, form: Form): object {
  const intent = textOf(formOf(form, 'payment'), 'payment_intent');
  const invoice = textOf(form, 'invoice');
  const found = newest(
    ledger.invoicePayments,
    (one) =>
      (intent === undefined || one.payment.payment_intent === intent) &&
      (invoice === undefined || one.invoice === invoice),
  );
  return list('/v1/invoice_payments', found, form);
}
