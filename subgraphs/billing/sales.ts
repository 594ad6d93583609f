/** The parts that sell, put together; they stand on the engine that keeps the accounts. */
import type { BackgroundTask } from '../../platform/subgraph.js';
import { ActService } from './act/act.service.js';
import { GiveService } from './act/give.service.js';
import { CheckoutService } from './checkout/checkout.service.js';
import { CustomerService } from './customer/customer.service.js';
import { StandingService } from './customer/standing.service.js';
import type { BillingDeps } from './deps.js';
import type { BillingEngine } from './engine.js';
import { EntitlementService } from './entitlement/entitlement.service.js';
import { PaymentReader } from './payment/payment.reader.js';
import { PaymentService } from './payment/payment.service.js';
import { PaymentSync } from './payment/payment.sync.js';
import { PurchaseService } from './purchase/purchase.service.js';
import type { BillingStore } from './store.js';
import { openStripe } from './stripe/stripe.js';
import { WebhookService } from './stripe/webhook.service.js';
import { UnlockService } from './unlock/unlock.service.js';

export interface Sales {
  customerService: CustomerService;
  entitlementService: EntitlementService;
  unlockService: UnlockService;
  checkoutService: CheckoutService;
  purchaseService: PurchaseService;
  webhookService: WebhookService;
  actService: ActService;
  giveService: GiveService;
  /** Whether anything can be bought. */
  purchasable: boolean;
  tasks: readonly BackgroundTask[];
}

export function createSales(store: BillingStore, { moneyIn }: BillingEngine, deps: Omit<BillingDeps, 'db'>): Sales {
  const { sales: settings, log, now } = deps;
  const { publicUrl } = settings;
  const stripe = settings.stripe && openStripe(settings.stripe);
  const customerService = new CustomerService({ ...store, now });
  const unlockService = new UnlockService({ ...store, settings: settings.unlock });
  const onChange = () => unlockService.forget();
  const paymentService = new PaymentService({ ...store, customerService, moneyIn, onChange, log, now });
  const reader = stripe && new PaymentReader(stripe, customerService);
  const sync = reader && new PaymentSync(paymentService, reader);
  const standing = new StandingService({ ...store, stripe, reader, sync, moneyIn, log, now });
  const purchaseService = new PurchaseService({ ...store, customerService, standing, sync, stripe, now });
  const webhookSecret = settings.stripe?.webhookSecret ?? null;
  const webhookService = new WebhookService({
    ...store,
    customerService,
    standing,
    sync,
    stripe,
    webhookSecret,
    log,
    now,
  });
  return {
    customerService,
    unlockService,
    entitlementService: new EntitlementService({ unlockService, moneyIn, now }),
    checkoutService: new CheckoutService({ ...store, customerService, standing, stripe, publicUrl, now }),
    purchaseService,
    webhookService,
    actService: new ActService({ ...store, now }),
    giveService: new GiveService({ moneyIn, customerService, standing, now }),
    purchasable: stripe !== null,
    tasks: [...paymentService.tasks, ...standing.tasks, ...purchaseService.tasks, ...webhookService.tasks],
  };
}
