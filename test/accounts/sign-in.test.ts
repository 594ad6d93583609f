import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '../../platform/scope.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { LOGIN, REGISTER, VERIFY_LOGIN, VERIFY_REGISTRATION } from './support/operations.js';
import { anonymous, MINUTE, openWorld, SECOND, slugs, unique, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ codesPerAddress: 0 });
});
afterAll(() => world?.close());

function address(): string {
  return `${unique('someone')}@example.com`;
}

async function askFor(operation: string, email: string): Promise<string> {
  expect((await world.run(operation, { email })).slug).toBeUndefined();
  return world.code(email.trim().toLowerCase());
}

function otherThan(code: string): string {
  return code === '123456' ? '654321' : '123456';
}

describe('registering', () => {
  it('answers the same for an unknown and a known address and lets both in with their code', async () => {
    const email = address();
    const first = await world.run(REGISTER, { email });
    const made = await world.run(VERIFY_REGISTRATION, { email, code: await world.code(email) });
    const second = await world.run(REGISTER, { email });
    expect(second.data).toEqual(first.data);
    const signedIn = await world.run(VERIFY_REGISTRATION, { email, code: await world.code(email) });
    const { verifyRegistration: fresh } = made.data as Record<string, Record<string, never>>;
    const { verifyRegistration: again } = signedIn.data as Record<string, Record<string, never>>;
    expect(fresh?.['apiKey']).toMatch(/^good_live_[0-9A-Za-z]{43}$/);
    expect(fresh?.['user']).toEqual({
      id: expect.stringMatching(/^usr_/),
      email,
      handle: null,
      createdAt: world.clock.now().toISOString(),
      suspended: false,
    });
    expect(fresh?.['key']).toMatchObject({ id: expect.stringMatching(/^key_/), name: 'sign-in 2026-03-01' });
    expect(again?.['user']).toEqual(fresh?.['user']);
    expect(again?.['apiKey']).not.toBe(fresh?.['apiKey']);
  });

  it('compares addresses without regard to case and surrounding space', async () => {
    const email = address();
    const code = await askFor(REGISTER, `  ${email.toUpperCase()} `);
    expect(code).not.toBe('');
    const { data } = await world.run(VERIFY_REGISTRATION, { email: email.replace('s', 'S'), code });
    expect(data).toMatchObject({ verifyRegistration: { user: { email } } });
  });

  it.each(['', 'nobody', 'a@b', 'a b@example.com', 'a@example.com\r\nBcc: x@example.com', `${'a'.repeat(250)}@b.com`])(
    'refuses %j as an address',
    async (email) => {
      expect((await world.run(REGISTER, { email })).problem?.toBody()).toMatchObject({
        error: 'validation_error',
        details: [{ field: 'email' }],
      });
      expect((await world.run(VERIFY_LOGIN, { email, code: '000000' })).slug).toBe('validation_error');
    },
  );

  it('mails a text that a person can read, with the code on a line of its own', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    const mail = world.inbox.mails.findLast(({ to }) => to === email);
    expect(mail?.text.split('\n')).toContain(code);
    expect(mail?.text).toContain('10 minutes');
    expect(mail?.text).toContain('ignore this mail');
    expect(mail?.subject).not.toContain(code);
  });

  it('makes one account when several right codes of two requests race', async () => {
    const email = address();
    await askFor(REGISTER, email);
    const code = await world.code(email);
    await Promise.all([
      world.run(VERIFY_REGISTRATION, { email, code }),
      world.run(VERIFY_LOGIN, { email, code }),
      world.run(REGISTER, { email }),
    ]);
    await world.run(VERIFY_REGISTRATION, { email, code: await world.code(email) });
    expect(await world.db.collection('accounts_users').countDocuments({ email })).toBe(1);
  });
});

describe('signing in', () => {
  it('sends nothing to an unknown address and never lets it in', async () => {
    const email = address();
    expect((await world.run(LOGIN, { email })).data).toMatchObject({ login: { status: 'ok' } });
    expect(await world.code(email)).toBe('');
    expect((await world.run(VERIFY_LOGIN, { email, code: '000000' })).slug).toBe('invalid_credentials');
    expect(await world.db.collection('accounts_users').countDocuments({ email })).toBe(0);
  });

  it('takes the code of either request at either call', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    expect((await world.run(VERIFY_LOGIN, { email, code })).slug).toBeUndefined();
    const next = await askFor(LOGIN, email);
    expect((await world.run(VERIFY_REGISTRATION, { email, code: next })).slug).toBeUndefined();
  });

  it('announces the new key', async () => {
    const { email, userId } = await world.user();
    const code = await askFor(LOGIN, email);
    await world.run(VERIFY_LOGIN, { email, code });
    expect(world.changed).toContain(userId);
  });

  it('gives a suspended account no key, and says so only to who has the right code', async () => {
    const { email } = await world.user();
    await world.run(
      'mutation ($u: String!) { internalSetSuspension(input: { userIdentifier: $u, suspended: true }) { userId } }',
      { u: email },
      systemScope('r'),
    );
    const code = await askFor(LOGIN, email);
    expect((await world.run(VERIFY_LOGIN, { email, code: otherThan(code) })).slug).toBe('invalid_credentials');
    expect((await world.run(VERIFY_LOGIN, { email, code })).slug).toBe('account_suspended');
    expect((await world.run(VERIFY_LOGIN, { email, code })).slug).toBe('invalid_credentials');
  });

  it('takes the place of the least recently used sign-in key when the account is full of keys', async () => {
    const crowded = await world.process({ keysPerUser: 3, codesPerEmail: 0 });
    const { email, userId } = await world.user();
    for (let i = 0; i < 5; i++) {
      await world.run(LOGIN, { email }, anonymous(), crowded);
      world.clock.advance(MINUTE);
      const { slug } = await world.run(VERIFY_LOGIN, { email, code: await world.code(email) }, anonymous(), crowded);
      expect(slug).toBeUndefined();
    }
    const keys = await world.db.collection('accounts_keys').find({ userId }).sort({ createdAt: 1 }).toArray();
    expect(keys).toHaveLength(3);
    await world.db.collection('accounts_keys').updateMany({ userId }, { $set: { origin: 'CREATED' } });
    await world.run(LOGIN, { email }, anonymous(), crowded);
    const full = await world.run(VERIFY_LOGIN, { email, code: await world.code(email) }, anonymous(), crowded);
    expect(full.slug).toBe('quota_exceeded');
  });
});

describe('a code', () => {
  it('works once', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    expect((await world.run(VERIFY_REGISTRATION, { email, code })).slug).toBeUndefined();
    expect((await world.run(VERIFY_REGISTRATION, { email, code })).slug).toBe('invalid_credentials');
  });

  it('expires', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    world.clock.advance(600 * SECOND);
    expect((await world.run(VERIFY_REGISTRATION, { email, code })).slug).toBe('invalid_credentials');
  });

  it('is void once a newer one was asked for', async () => {
    const email = address();
    const old = await askFor(REGISTER, email);
    let newer = await askFor(REGISTER, email);
    while (newer === old) newer = await askFor(REGISTER, email);
    expect((await world.run(VERIFY_REGISTRATION, { email, code: old })).slug).toBe('invalid_credentials');
    expect((await world.run(VERIFY_REGISTRATION, { email, code: newer })).slug).toBeUndefined();
  });

  it('is of use for its own address only', async () => {
    const [email, other] = [address(), address()];
    const code = await askFor(REGISTER, email);
    await askFor(REGISTER, other);
    expect((await world.run(VERIFY_REGISTRATION, { email: other, code })).slug).toBe('invalid_credentials');
  });

  it('survives four wrong tries and is void after five, with the same words each time', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    const messages = new Set<string | undefined>();
    for (let i = 0; i < 5; i++) {
      messages.add((await world.run(VERIFY_REGISTRATION, { email, code: otherThan(code) })).problem?.message);
    }
    messages.add((await world.run(VERIFY_REGISTRATION, { email, code })).problem?.message);
    messages.add((await world.run(VERIFY_REGISTRATION, { email: address(), code })).problem?.message);
    expect(messages.size).toBe(1);

    const careful = address();
    const right = await askFor(REGISTER, careful);
    for (let i = 0; i < 4; i++) await world.run(VERIFY_REGISTRATION, { email: careful, code: otherThan(right) });
    expect((await world.run(VERIFY_REGISTRATION, { email: careful, code: right })).slug).toBeUndefined();
  });

  it('makes one key of 200 concurrent verifications', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => world.run(VERIFY_REGISTRATION, { email, code })),
    );
    expect(slugs(answers)).toEqual({ ok: 1, invalid_credentials: 199 });
    const user = await world.db.collection('accounts_users').findOne({ email });
    const userId = user?._id as unknown as string;
    expect(await world.db.collection('accounts_keys').countDocuments({ userId })).toBe(1);
  });

  it('is void after five of a thousand concurrent guesses, the right one among the late ones included', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    const guesses = Array.from({ length: 1000 }, (_, i) => String((Number(code) + 1 + i) % 1e6).padStart(6, '0'));
    const answers = await Promise.all(guesses.map((guess) => world.run(VERIFY_REGISTRATION, { email, code: guess })));
    expect(slugs(answers)).toEqual({ invalid_credentials: 1000 });
    expect((await world.run(VERIFY_REGISTRATION, { email, code })).slug).toBe('invalid_credentials');
  });

  it('leaves with its mail when the process ends at once', async () => {
    const ending = await world.process();
    const email = address();
    await world.run(REGISTER, { email }, anonymous(), ending);
    const sent = () => world.inbox.mails.filter(({ to }) => to === email).length;
    expect(sent()).toBe(0);
    await ending.close();
    expect(sent()).toBe(1);
  });

  it('is not to be found in the store', async () => {
    const email = address();
    const code = await askFor(REGISTER, email);
    const stored = await world.db.collection<{ _id: string }>('accounts_codes').findOne({ _id: email });
    expect(JSON.stringify(stored)).not.toContain(code);
    expect(stored).toMatchObject({ mac: expect.stringMatching(/^[\w-]{43}$/), tries: 0 });
  });

  it('is swept away with its limits once it has expired', async () => {
    const email = address();
    await askFor(REGISTER, email);
    world.clock.advance(20 * MINUTE);
    await world.runTasks();
    const db = world.db;
    expect(await db.collection<{ _id: string }>('accounts_codes').findOne({ _id: email })).toBeNull();
    expect(await db.collection<{ _id: string }>('accounts_limits').findOne({ _id: `codes:email:${email}` })).toBeNull();
  });
});

describe('the limits on codes', () => {
  it('allow five for an address in 15 minutes and tell when the next is free', async () => {
    const email = address();
    for (let i = 0; i < 5; i++) {
      await askFor(i % 2 ? LOGIN : REGISTER, email);
      world.clock.advance(MINUTE);
    }
    const refused = await world.run(REGISTER, { email });
    expect(refused.problem?.toBody()).toMatchObject({ error: 'rate_limited', retry_after: 600, retryable: true });
    world.clock.advance(600 * SECOND - 1);
    expect((await world.run(REGISTER, { email })).problem?.toBody()).toMatchObject({ retry_after: 1 });
    world.clock.advance(1);
    expect((await world.run(REGISTER, { email })).slug).toBeUndefined();
    expect((await world.run(REGISTER, { email })).problem?.toBody()).toMatchObject({ retry_after: 60 });
  });

  it('are the same for known and unknown addresses', async () => {
    const { email: known } = await world.user();
    for (const email of [known, address()]) {
      const answers = [];
      for (let i = 0; i < 7; i++) answers.push(await world.run(LOGIN, { email }));
      expect(slugs(answers)).toEqual({ ok: 5, rate_limited: 2 });
    }
  });

  it('let exactly as many of racing requests through as there are left', async () => {
    const email = address();
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.run(REGISTER, { email })));
    expect(slugs(answers)).toEqual({ ok: 5, rate_limited: 45 });
  });

  it('count a network apart from the addresses, and first', async () => {
    const strict = await world.process({ codesPerAddress: 3 });
    const ask = (email: string, network: string) => world.run(REGISTER, { email }, anonymous(network), strict);
    for (let i = 0; i < 3; i++) expect((await ask(address(), '203.0.113.1')).slug).toBeUndefined();
    const email = address();
    expect((await ask(email, '203.0.113.1')).problem?.toBody()).toMatchObject({ retry_after: 900 });
    // What was refused for its network did not count against the address.
    for (let i = 0; i < 3; i++) expect((await ask(email, '203.0.113.2')).slug).toBeUndefined();
    expect((await ask(address(), '203.0.113.3')).slug).toBeUndefined();
  });

  it('can be switched off, and stay small when they are generous', async () => {
    const generous = await world.process({ codesPerEmail: 1_000_000 });
    const email = address();
    await Promise.all(Array.from({ length: 60 }, () => world.run(REGISTER, { email }, anonymous(), generous)));
    const limit = await world.db
      .collection<{ _id: string; hits: { count: number }[] }>('accounts_limits')
      .findOne({ _id: `codes:email:${email}` });
    expect(limit?.hits).toEqual([{ second: expect.any(Number), count: 60 }]);
    const off = await world.process({ codesPerEmail: 0 });
    for (let i = 0; i < 8; i++) expect((await world.run(REGISTER, { email }, anonymous(), off)).slug).toBeUndefined();
  });
});

describe('known and unknown addresses', () => {
  let limited: Subgraph;
  beforeAll(async () => {
    limited = await world.process({ codesPerAddress: 1000 });
  });

  async function work(operation: string, email: string): Promise<unknown[]> {
    const { commands } = await world.commands.during(() => world.run(operation, { email }, anonymous(), limited));
    return commands.map(({ commandName, command }) => [commandName, command[commandName]]);
  }

  it.each([
    ['register', REGISTER],
    ['login', LOGIN],
  ])('cost %s the same steps in the store', async (_name, operation) => {
    const { email: known } = await world.user();
    const unknown = address();
    const first = await work(operation, known);
    expect(first).toHaveLength(4);
    expect(await work(operation, unknown)).toEqual(first);
    expect(await work(operation, known)).toEqual(first);
    expect(await work(operation, unknown)).toEqual(first);
  });

  it('cost a wrong, an expired, a void and a decoy code the same steps', async () => {
    const { email: known } = await world.user();
    const unknown = address();
    await world.run(LOGIN, { email: known });
    await world.run(LOGIN, { email: unknown });
    const code = '000000';
    const wrong = await work(VERIFY_LOGIN.replace('$code: String!', `$code: String = "${code}"`), known);
    const decoy = await work(VERIFY_LOGIN.replace('$code: String!', `$code: String = "${code}"`), unknown);
    for (let i = 0; i < 6; i++) await world.run(VERIFY_LOGIN, { email: known, code });
    const voided = await work(VERIFY_LOGIN.replace('$code: String!', `$code: String = "${code}"`), known);
    world.clock.advance(700 * SECOND);
    const expired = await work(VERIFY_LOGIN.replace('$code: String!', `$code: String = "${code}"`), unknown);
    expect(wrong).toEqual([['findAndModify', 'accounts_codes']]);
    expect([decoy, voided, expired]).toEqual([wrong, wrong, wrong]);
  });
});
