/** A stand-in for Stripe: its paths, its form encoding, its idempotency keys, its errors, and its signed webhooks. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Business, Refusal } from './business.js';
import { parseForm } from './form.js';
import type { StripeEvent } from './objects.js';
import { respond } from './routes.js';

export const STRIPE_KEY = 'sk_test_stand_in';
export const WEBHOOK_SECRET = 'whsec_stand_in';

/**
 * What may go wrong with one request: `lost` is never done, `unanswered` is done and its answer lost, a number is that
 * many milliseconds of waiting before it is done, and a `status` is an answer of Stripe's own trouble, which says nothing
 * of whether it was done, and that trying again at once is of no use.
 */
export type Fault = 'lost' | 'unanswered' | number | { status: number; error: Record<string, unknown>; done?: boolean };

export interface SeenRequest {
  method: string;
  path: string;
  idempotencyKey: string | undefined;
  body: string;
}

interface Remembered {
  request: string;
  answer: { status: number; body: string } | null;
}

export interface StripeStandIn {
  url: string;
  business: Business;
  requests: SeenRequest[];
  /** Called for each request; null lets it through. */
  fault: (request: SeenRequest) => Fault | null;
  /** As Stripe does after a day: idempotency keys mean nothing any more. */
  forgetKeys(): void;
  sign(payload: string, options?: { secret?: string; at?: number }): string;
  /** Posts an event as Stripe does; answers the status. */
  deliver(to: string, event: StripeEvent): Promise<number>;
  close(): Promise<void>;
}

export async function openStripe(now: () => Date = () => new Date()): Promise<StripeStandIn> {
  const business = new Business(now);
  const requests: SeenRequest[] = [];
  const remembered = new Map<string, Remembered>();

  const server = createServer((request, response) => {
    void read(request).then((body) => serve(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function serve(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const [path = '', query = ''] = url.split('?', 2);
    const key = headers['idempotency-key'];
    const idempotencyKey = typeof key === 'string' ? key : undefined;
    const seen: SeenRequest = { method, path, idempotencyKey, body };
    requests.push(seen);
    const fault = standIn.fault(seen);
    if (fault === 'lost') return void response.destroy();
    if (typeof fault === 'number') await new Promise((resolve) => setTimeout(resolve, fault));
    const trouble = typeof fault === 'object' && fault !== null ? fault : null;
    const done = trouble && !trouble.done ? null : handle(seen, headers, method === 'POST' ? body : query);
    if (fault === 'unanswered') return void response.destroy();
    const answer = trouble || !done ? { status: trouble?.status ?? 500, body: JSON.stringify(trouble) } : done;
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'request-id': business.id('req'),
      ...(trouble && { 'stripe-should-retry': 'false' }),
    });
    response.end(answer.body);
  }

  function handle(seen: SeenRequest, headers: IncomingMessage['headers'], params: string) {
    if (headers.authorization !== `Bearer ${STRIPE_KEY}`) {
      return refused(new Refusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' }));
    }
    if (seen.method === 'POST' && headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return refused(new Refusal(400, { type: 'invalid_request_error', message: 'Invalid request encoding' }));
    }
    const key = seen.method === 'POST' ? seen.idempotencyKey : undefined;
    if (key === undefined) return run(seen, params);
    const request = `${seen.method} ${seen.path} ${params}`;
    const known = remembered.get(key);
    if (known && known.request !== request) {
      return refused(
        new Refusal(400, {
          type: 'idempotency_error',
          message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.',
        }),
      );
    }
    if (known?.answer) return known.answer;
    const answer = run(seen, params);
    // Requests that failed validation are not remembered.
    if (answer.status !== 400) remembered.set(key, { request, answer });
    return answer;
  }

  function run(seen: SeenRequest, params: string) {
    try {
      return { status: 200, body: JSON.stringify(respond(business, seen.method, seen.path, parseForm(params))) };
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      throw error;
    }
  }

  function sign(payload: string, { secret = WEBHOOK_SECRET, at = business.seconds() } = {}): string {
    const mac = createHmac('sha256', secret).update(`${at}.${payload}`).digest('hex');
    return `t=${at},v1=${mac}`;
  }

  const standIn: StripeStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    business,
    requests,
    fault: () => null,
    forgetKeys: () => remembered.clear(),
    sign,
    async deliver(to, event) {
      const payload = JSON.stringify(event, null, 2);
      const response = await fetch(`${to}/v2/billing/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': sign(payload) },
        body: payload,
      });
      await response.arrayBuffer();
      return response.status;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return standIn;
}

function refused({ status, error }: Refusal) {
  return { status, body: JSON.stringify({ error }) };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
