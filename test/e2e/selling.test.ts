/** Money, as a customer and an operator meet it: through REST and the graph, in one process and in many. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform, SHAPES } from '../support/platform.js';
import { launch } from '../support/process.js';
import { openStripe, STRIPE_KEY, type StripeStandIn, WEBHOOK_SECRET } from '../support/stripe/server.js';

describe.each(SHAPES)('billing in %s', (_shape, open) => {
  let stripe: StripeStandIn;
  let platform: Platform;
  let client: Client;
  let ada: Account;
  let env: Record<string, string>;

  beforeAll(async () => {
    stripe = await openStripe();
    env = {
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_BASE_URL: stripe.url,
      UNLOCK_GOAL_USD: '20',
      UNLOCK_GOAL_BACKERS: '2',
    };
    platform = await open(env);
    client = clientOf(platform);
    ada = await client.account('ada@example.com');
  });
  afterAll(async () => {
    await platform?.stop();
    await stripe?.close();
  });

  const status = async (key = ada.key) => (await client.rest('GET', '/v2/billing/status', key)).body;
  const pay = async (url: string, from: number) => {
    stripe.business.completeCheckout(url.split('/').at(-1) ?? '');
    for (const event of stripe.business.ledger.events.slice(from)) {
      expect(await stripe.deliver(platform.url, event)).toBe(200);
      expect(await stripe.deliver(platform.url, event)).toBe(200);
    }
  };

  it('a new account has its welcome credits and nothing else, by either header', async () => {
    const body = await status();
    expect(body).toMatchObject({
      plan: 'free',
      tier: 'free',
      allowedTiers: ['draft', 'standard', 'premium'],
      priorityQueue: false,
      frontierUnlocked: false,
      subscriptionStatus: null,
      quotaRemaining: 50,
      creditBalance: 0,
      hasSavedCard: false,
      savedCard: null,
      purchaseEligible: true,
    });
    expect(body.packs).toEqual([
      { packId: 'agent-credits-500', priceUsd: 12.5, credits: 500 },
      { packId: 'agent-credits-1000', priceUsd: 20, credits: 1_000 },
    ]);
    const byHeader = await fetch(`${platform.url}/v2/billing/status`, { headers: { 'x-api-key': ada.key } });
    expect(await byHeader.json()).toEqual(body);
    for (const [method, path] of [
      ['GET', '/v2/billing/status'],
      ['POST', '/v2/billing/portal'],
    ] as const) {
      expect((await client.rest(method, path)).status, path).toBe(401);
    }
  });

  it('a pack is bought on a page, and the next one with the saved card, once for its key', async () => {
    const buy = (packId: string, idempotencyKey: string) =>
      client.rest('POST', '/v2/billing/purchase', ada.key, { packId, idempotencyKey });
    const early = await buy('agent-credits-500', 'first');
    expect([early.status, early.body.error]).toEqual([402, 'card_missing']);
    const mark = stripe.business.ledger.events.length;
    const page = await client.rest('POST', '/v2/billing/checkout', ada.key, { packId: 'agent-credits-500' });
    expect(page.status).toBe(200);
    await pay(page.body.url, mark);
    expect(await status()).toMatchObject({ quotaRemaining: 550, hasSavedCard: true, savedCard: { last4: '4242' } });

    const answers = await Promise.all(['same', 'same', 'same'].map((key) => buy('agent-credits-500', key)));
    for (const { status: code, body } of answers) {
      expect([code, body]).toEqual([
        200,
        { packId: 'agent-credits-500', state: 'paid', credits: 500, creditBalance: 1_000 },
      ]);
    }
    const other = await buy('agent-credits-1000', 'same');
    expect([other.status, other.body.error]).toEqual([409, 'conflict']);
    expect(stripe.business.ledger.charges.size).toBe(2);
  });

  it('a plan is subscribed to through the graph, and shows in every place', async () => {
    const { unlockStatus: before } = (await client.graph('{ unlockStatus { type displayCurrent displayGoal } }')).body
      .data;
    // Two packs are past the goal.
    expect(before).toEqual({ type: 'UNLOCKED', displayCurrent: 1, displayGoal: 2 });
    const mark = stripe.business.ledger.events.length;
    const open = 'mutation ($i: CreateCheckoutInput!) { createCheckout(input: $i) { url } }';
    const { body } = await client.graph(open, { i: { plan: 'AGENCY' } }, ada.key);
    await pay(body.data.createCheckout.url, mark);
    const mine = await client.graph(
      '{ me { tier { slug } entitlements { plan allowedTiers priorityQueue frontierUnlocked } } billingStatus { subscriptionStatus credits { available purchased subscription } } plans { name priceUsd credits } }',
      {},
      ada.key,
    );
    expect(mine.body.data).toMatchObject({
      me: {
        tier: { slug: 'pro' },
        entitlements: {
          plan: 'AGENCY',
          allowedTiers: ['DRAFT', 'STANDARD', 'PREMIUM', 'ULTRA', 'ULTRA_PLUS'],
          priorityQueue: true,
          frontierUnlocked: true,
        },
      },
      billingStatus: {
        subscriptionStatus: 'active',
        credits: { available: 5_050, purchased: 1_000, subscription: 4_000 },
      },
      plans: [
        { name: 'FREE', priceUsd: 0, credits: 50 },
        { name: 'PRO', priceUsd: 29, credits: 1_000 },
        { name: 'AGENCY', priceUsd: 75, credits: 4_000 },
      ],
    });
    const again = await client.rest('POST', '/v2/billing/checkout', ada.key, { plan: 'pro' });
    expect([again.status, again.body.error]).toEqual([409, 'conflict']);
    const ben = await client.account('ben@example.com');
    const query = 'query ($u: String!) { user(identifier: $u) { entitlements { plan } } }';
    expect((await client.graph(query, { u: ada.id }, ben.key)).body.data.user.entitlements).toBeNull();
    const portal = await client.rest('POST', '/v2/billing/portal', ada.key);
    expect(portal.body.url).toMatch(/^https:\/\/billing\.stripe\.example\//);
  });

  it('a refund takes the credits back', async () => {
    const [intent] = [...stripe.business.ledger.paymentIntents.keys()];
    const mark = stripe.business.ledger.events.length;
    stripe.business.refund(intent ?? '');
    for (const event of stripe.business.ledger.events.slice(mark)) await stripe.deliver(platform.url, event);
    expect(await status()).toMatchObject({ creditBalance: 500, quotaRemaining: 4_550 });
  });

  it('what is not signed is refused, whatever its type and bytes', async () => {
    const send = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${platform.url}/v2/billing/webhook`, { method: 'POST', body, headers });
    const answers = [
      await send('{}'),
      await send('{}', { 'stripe-signature': 't=1,v1=00' }),
      await send(new Uint8Array([0xff, 0xfe]), {
        'stripe-signature': stripe.sign('x'),
        'content-type': 'application/json',
      }),
      await send('a=b', { 'stripe-signature': stripe.sign('{}'), 'content-type': 'application/x-www-form-urlencoded' }),
      await send('{}', { 'stripe-signature': stripe.sign('{}', { secret: 'whsec_other' }) }),
      await send('{}', { 'stripe-signature': stripe.sign('{}', { at: stripe.business.seconds() - 400 }) }),
    ];
    for (const answer of answers) {
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, 'validation_error']);
    }
    expect((await client.rest('GET', '/v2/billing/webhook')).status).toBe(405);
  });

  it('internal operations cannot be called from outside', async () => {
    for (const field of [
      'internalPaymentEvent(input: {payload: "", signature: ""}) { applied }',
      'internalFinishAct(input: {id: "", result: {}})',
    ]) {
      expect((await client.graph(`mutation { ${field} }`, {}, ada.key)).body.errors[0].extensions.code).toBe(
        'validation_error',
      );
    }
  });

  it('operators give and look, and who has used most of the credits is told', async () => {
    // In many processes the command opens the store itself, with the settings that they have.
    const admin = async (...words: string[]) => {
      const { exited, output } = launch(['admin', ...words], platform.env);
      expect(await exited, output()).toBe(0);
      return JSON.parse(output());
    };
    const eve = await client.account('eve@example.com');
    expect(await admin('grant', 'eve@example.com', '--credits', '50')).toMatchObject({ available_credits: 100 });
    expect((await admin('audit', '--user', 'eve@example.com')).acts).toHaveLength(1);
    const calm = await client.rest('GET', '/v2/billing/status', eve.key);
    expect(calm.headers.get('x-quota-warning')).toBeNull();
    expect(calm.body.quotaRemaining).toBe(100);
    await spendBehindTheScenes(platform, eve, 19);
    // What was asked for a moment ago is remembered, until the caller does something that may have spent credits.
    const told = '81% of your credits are used; 19 left';
    const refused = await client.rest('POST', '/v2/billing/purchase', eve.key, { packId: 'x', idempotencyKey: 'k' });
    expect([refused.status, refused.headers.get('x-quota-warning')]).toEqual([400, told]);
    const read = await client.rest('GET', '/v2/billing/status', eve.key);
    expect(read.headers.get('x-quota-warning')).toBe(told);
  });

  it('people who come back from a payment page find one here', async () => {
    for (const page of ['success', 'cancelled', 'done']) {
      const answer = await fetch(`${platform.url}/billing/${page}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await answer.text()).toContain('You can close this page.');
    }
  });

  it('nothing was logged as a failure of ours, and no secret at all', () => {
    const output = platform.programs.map((program) => program.output()).join('\n');
    expect(output.split('\n').filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
    for (const secret of [STRIPE_KEY, WEBHOOK_SECRET]) expect(output).not.toContain(secret);
  });
});

/** Nothing on /v2 spends credits in this suite: what is left is set by hand. */
async function spendBehindTheScenes(platform: Platform, { id }: Account, left: number): Promise<void> {
  const mongo = await MongoClient.connect(platform.mongoUrl);
  const accounts = mongo.db('darkroom').collection<{ _id: string; pots: object[] }>('billing_accounts');
  const credits = { 'pot.unit': 'credits' };
  await accounts.updateOne({ _id: id.slice(4) }, { $set: { 'pots.$[pot].remaining': 0 } }, { arrayFilters: [credits] });
  const welcome = [{ 'pot.unit': 'credits', 'pot.kind': 'welcome' }];
  await accounts.updateOne(
    { _id: id.slice(4) },
    { $set: { 'pots.$[pot].remaining': left } },
    { arrayFilters: welcome },
  );
  await mongo.close();
}

describe('billing without Stripe', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await oneProcess();
  });
  afterAll(() => platform?.stop());

  it('says so where something would be bought, and works for the rest', async () => {
    const client = clientOf(platform);
    const { key } = await client.account('ada@example.com');
    for (const [path, body] of [
      ['/v2/billing/checkout', { plan: 'pro' }],
      ['/v2/billing/portal', undefined],
      ['/v2/billing/purchase', { packId: 'agent-credits-500', idempotencyKey: 'k' }],
    ] as const) {
      const answer = await client.rest('POST', path, key, body);
      expect([answer.status, answer.body.error], path).toEqual([503, 'billing_not_configured']);
    }
    const webhook = await fetch(`${platform.url}/v2/billing/webhook`, {
      method: 'POST',
      headers: { 'stripe-signature': 't=1,v1=0' },
      body: '{}',
    });
    expect(webhook.status).toBe(503);
    const status = await client.rest('GET', '/v2/billing/status', key);
    expect([status.status, status.body.purchaseEligible]).toEqual([200, false]);
  });
});
