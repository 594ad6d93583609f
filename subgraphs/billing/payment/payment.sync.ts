/** From something at Stripe that was heard of to the payments that it is about. */
import type { PaymentReader } from './payment.reader.js';
import type { PaymentService } from './payment.service.js';

export class PaymentSync {
  readonly #payments: PaymentService;
  readonly #reader: PaymentReader;

  constructor(payments: PaymentService, reader: PaymentReader) {
    this.#payments = payments;
    this.#reader = reader;
  }

  /** A payment intent paid for a pack, or for an invoice. */
  async intent(id: string): Promise<void> {
    const intent = await this.#reader.intent(id);
    if (!intent) return;
    if (intent.metadata['pack_id'] !== undefined) {
      await this.#payments.converge(id, () => this.#reader.pack(id));
      return;
    }
    for (const invoice of await this.#reader.invoicesOf(id)) await this.invoice(invoice);
  }

  async invoice(id: string): Promise<void> {
    await this.#payments.converge(id, () => this.#reader.month(id));
  }
}
