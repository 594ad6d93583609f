/** Where Stripe sends its events. What it signed is the body to the byte, so nothing here reads it. */
import type { FastifyInstance } from 'fastify';
import { Problem } from '../platform/errors.js';
import { refuseOtherMethods } from '../rest-shim/shim.js';
import type { BillingClient } from '../subgraphs/billing/client.js';
import type { Admit } from './admission.js';

export const WEBHOOK_PATH = '/v2/billing/webhook';
const MAX_EVENT_BYTES = 1_048_576;

export interface WebhookDeps {
  admit: Admit;
  billing: BillingClient;
}

export function mountWebhook(app: FastifyInstance, { admit, billing }: WebhookDeps): void {
  refuseOtherMethods(app, WEBHOOK_PATH, new Set(['POST']));
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_EVENT_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    scope.post(WEBHOOK_PATH, async (request, reply) => {
      await admit(request, reply);
      const { 'stripe-signature': signature } = request.headers;
      const payload = textOf(request.body);
      if (typeof signature !== 'string' || payload === null) {
        throw new Problem('validation_error', 'The signature of the event is not valid.');
      }
      const applied = await billing.paymentEvent({ payload, signature }, request.id);
      return { received: true, applied };
    });
  });
}

/** Null for bytes that are no text: they cannot be a signed event, and would not survive the way as they are. */
function textOf(body: unknown): string | null {
  if (!(body instanceof Uint8Array)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}

export const WEBHOOK_DOCUMENT = {
  [WEBHOOK_PATH]: {
    post: {
      operationId: 'paymentWebhook',
      tags: ['Billing'],
      summary: 'For the payment service alone: takes in its signed events',
      parameters: [{ name: 'Stripe-Signature', in: 'header', required: true, schema: { type: 'string' } }],
      requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
      responses: {
        200: { description: '`{"received": true, "applied": …}`; `applied` is false for an event that came before.' },
        400: { description: '`validation_error`: the signature is not good, or older than five minutes.' },
        503: { description: '`billing_not_configured`, or `unavailable`: send it again later.' },
      },
    },
  },
};
