import { Counter } from 'prom-client';
import type { ErrorSlug } from '../../platform/errors.js';
import type { Metrics } from '../../platform/metrics.js';
import type { Charged } from './account/account.js';
import type { Unit } from './account/account.model.js';

/** What is spent and what is refused, counted where it is decided: in the process that runs billing. */
export class BillingMetrics {
  readonly #spent: Counter<'unit' | 'purpose' | 'payer'>;
  readonly #charges: Counter<'unit' | 'purpose' | 'payer'>;
  readonly #refusals: Counter<'slug' | 'unit'>;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.#spent = new Counter({
      name: 'darkroom_billing_spent_total',
      help: 'What runs were charged, in millionths of a dollar or in credits.',
      labelNames: ['unit', 'purpose', 'payer'] as const,
      registers,
    });
    this.#charges = new Counter({
      name: 'darkroom_billing_charges_total',
      help: 'Runs that were charged.',
      labelNames: ['unit', 'purpose', 'payer'] as const,
      registers,
    });
    this.#refusals = new Counter({
      name: 'darkroom_billing_refusals_total',
      help: 'Reservations that were refused, by the slug that the caller was given.',
      labelNames: ['slug', 'unit'] as const,
      registers,
    });
  }

  charged({ unit, purpose, amount }: Charged, payer: 'user' | 'network'): void {
    this.#spent.inc({ unit, purpose, payer }, amount);
    this.#charges.inc({ unit, purpose, payer });
  }

  refused(slug: ErrorSlug, unit: Unit): void {
    this.#refusals.inc({ slug, unit });
  }
}
