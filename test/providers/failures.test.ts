/** What comes of a provider that refuses, fails, dawdles or lies. The same for all of them, within the time-out. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cloudflare } from '../../subgraphs/registry/provider/cloudflare.js';
import { Compatible } from '../../subgraphs/registry/provider/compatible.js';
import type { FailureReason } from '../../subgraphs/registry/provider/failure.js';
import { Fal } from '../../subgraphs/registry/provider/fal.js';
import { Google } from '../../subgraphs/registry/provider/google.js';
import { OpenAi } from '../../subgraphs/registry/provider/openai.js';
import type { Provider } from '../../subgraphs/registry/provider/provider.js';
import type { Providers } from '../../subgraphs/registry/provider/providers.js';
import { openCloudflare } from './cloudflare.js';
import { openFal } from './fal.js';
import { BLOCKED_PROMPT, openGoogle } from './google.js';
import { openOpenAi } from './openai.js';
import { png } from './pictures.js';
import { type Behaviour, openStandIn, type StandIn } from './stand-in.js';
import { behind, failureOf, type Lines, PROMPT, requestFor } from './support.js';

const KEY = 'key-that-must-never-be-shown-91c2';
const TIMEOUT_MS = 400;
/** The machine may be busy; an answer that came only because the other side ended it would take for ever. */
const SOON_MS = 15_000;

interface Case {
  model: string;
  open(): Promise<StandIn>;
  make(url: string): Provider;
}

const CASES: Record<string, Case> = {
  OpenAI: {
    model: 'gpt-image-2',
    open: () => openOpenAi(),
    make: (url) => new OpenAi({ apiKey: KEY, baseUrl: url }),
  },
  Gemini: {
    model: 'gemini-3-pro-image-preview',
    open: openGoogle,
    make: (url) => new Google({ apiKey: KEY, baseUrl: url }),
  },
  'Workers AI': {
    model: '@cf/black-forest-labs/flux-2-klein-4b',
    open: openCloudflare,
    make: (url) => new Cloudflare({ accountId: 'acc', apiToken: KEY, baseUrl: url }),
  },
  fal: { model: 'fal-ai/flux/schnell', open: () => openFal(), make: (url) => new Fal({ apiKey: KEY, baseUrl: url }) },
  'a server like OpenAI’s': {
    model: 'openai-compatible/flux-dev',
    open: () => openOpenAi(),
    make: (url) => new Compatible({ baseUrl: url, apiKey: KEY }),
  },
};

const EXPECTED: [Behaviour, FailureReason][] = [
  ['refuse', 'refused'],
  ['bad_key', 'credentials'],
  ['invalid', 'rejected'],
  ['rate_limited', 'rate_limited'],
  ['server_error', 'failed'],
  ['redirect', 'failed'],
  ['cut', 'failed'],
  ['cut_midway', 'failed'],
  ['endless', 'too_large'],
  ['announces_too_much', 'too_large'],
  ['html', 'unreadable'],
  ['garbage', 'unreadable'],
  ['deep_json', 'unreadable'],
  ['wide_json', 'unreadable'],
  ['empty', 'unreadable'],
  ['no_picture', 'unreadable'],
  ['not_a_picture', 'unreadable'],
  ['hang', 'timeout'],
  ['drip', 'timeout'],
];

describe.each(Object.entries(CASES))('%s', (_name, { model, open, make }) => {
  let standIn: StandIn;
  let providers: Providers & Lines;

  beforeAll(async () => {
    standIn = await open();
  });
  beforeEach(async () => {
    standIn.reset();
    await providers?.close();
    // A fresh circuit for each test; only the two that must run into the time-out have a short one.
    const short = /hang|drip/.test(expect.getState().currentTestName ?? '');
    providers = behind(make(standIn.url), short ? TIMEOUT_MS : 60_000);
  });
  afterAll(async () => {
    await providers.close();
    await standIn.close();
  });

  const generate = (count = 1) => providers.generate(requestFor(model, { count }));

  it.each(EXPECTED)('%s: %s', async (behaviour, reason) => {
    standIn.behave(behaviour);
    const started = performance.now();
    const failure = await failureOf(generate());
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    expect(failure.reason).toBe(reason);
    expect(failure.code).toBe(reason === 'timeout' ? 'timeout' : 'provider_error');
    const shown = `${failure.message} ${providers.text()}`;
    for (const secret of [KEY, PROMPT, standIn.url, 'safety_violations', 'Incorrect API key']) {
      expect(shown).not.toContain(secret);
    }
  });

  it('asks again when told to try again at once, and no sooner given up than after three times', async () => {
    standIn.behave('rate_limited_briefly', 'overloaded_briefly', 'answer');
    const [output] = await generate();
    expect(output?.kind).not.toBe('failure');
    expect(standIn.requests).toHaveLength(3);
    standIn.reset();
    standIn.behave('rate_limited_briefly');
    expect((await failureOf(generate())).reason).toBe('rate_limited');
    expect(standIn.requests).toHaveLength(3);
  });

  it('never asks twice for what may have been drawn', async () => {
    for (const behaviour of ['server_error', 'cut', 'cut_midway', 'garbage'] as const) {
      standIn.reset();
      standIn.behave(behaviour);
      await failureOf(generate());
      expect(standIn.requests, behaviour).toHaveLength(1);
    }
  });

  it('gives a cut connection up and takes the next one', async () => {
    standIn.behave('cut', 'answer');
    await failureOf(generate());
    const [output] = await generate();
    expect(output?.kind).not.toBe('failure');
  });

  it('is given up when the caller gives up', async () => {
    standIn.behave('hang');
    const controller = new AbortController();
    const outputs = providers.generate(requestFor(model), controller.signal);
    setTimeout(() => controller.abort(), 50);
    expect(await failureOf(outputs)).toMatchObject({ reason: 'cancelled', code: 'runtime_error' });
  });
});

const nothing = { body: {} };
/** For a dialect of which only the answer matters. */
const SILENT = {
  refuse: nothing,
  badKey: nothing,
  invalid: nothing,
  rateLimited: nothing,
  serverError: nothing,
  noPicture: nothing,
  notAPicture: nothing,
};

it('a refused connection is tried again and then reported as such', async () => {
  const gone = await openOpenAi();
  await gone.close();
  const providers = behind(new OpenAi({ apiKey: KEY, baseUrl: gone.url }));
  expect(await failureOf(providers.generate(requestFor('gpt-image-2')))).toMatchObject({ reason: 'unreachable' });
  await providers.close();
});

it('one picture of several may fail where each is a call of its own', async () => {
  const standIn = await openCloudflare();
  standIn.behave('answer', 'refuse', 'answer');
  const providers = behind(new Cloudflare({ accountId: 'acc', apiToken: KEY, baseUrl: standIn.url }));
  const model = '@cf/black-forest-labs/flux-2-klein-4b';
  const outputs = await providers.generate(requestFor(model, { count: 3 }));
  expect(outputs.map(({ kind }) => kind).sort()).toEqual(['bytes', 'bytes', 'failure']);
  await providers.close();
  await standIn.close();
});

it('a provider that gives fewer pictures than asked for fails the rest, and one that gives more is not believed', async () => {
  const item = { b64_json: (await png(16, 16)).toString('base64') };
  const standIn = await openStandIn({
    ...SILENT,
    answer: ({ json }) => ({ body: { data: Array(json['n'] === 1 ? 3 : 1).fill(item) } }),
  });
  const providers = behind(new OpenAi({ apiKey: KEY, baseUrl: standIn.url }));
  const few = await providers.generate(requestFor('gpt-image-2', { count: 3 }));
  expect(few.map(({ kind }) => kind)).toEqual(['bytes', 'failure', 'failure']);
  expect(await providers.generate(requestFor('gpt-image-2', { count: 1 }))).toHaveLength(1);
  await providers.close();
  await standIn.close();
});

it('Gemini blocking the prompt itself is a refusal', async () => {
  const standIn = await openStandIn({ ...SILENT, answer: () => ({ body: BLOCKED_PROMPT }) });
  const providers = behind(new Google({ apiKey: KEY, baseUrl: standIn.url }));
  const failure = await failureOf(providers.generate(requestFor('gemini-3-pro-image-preview')));
  expect(failure.reason).toBe('refused');
  await providers.close();
  await standIn.close();
});

it('answers without a picture open the circuit, in whatever way they lack it', async () => {
  const standIn = await openOpenAi();
  standIn.behave('not_a_picture', 'no_picture', 'garbage', 'not_a_picture', 'html', 'answer');
  const providers = behind(new OpenAi({ apiKey: KEY, baseUrl: standIn.url }));
  const reasons: string[] = [];
  for (let i = 0; i < 6; i++) reasons.push((await failureOf(providers.generate(requestFor('gpt-image-2')))).reason);
  expect(reasons).toEqual([...Array(5).fill('unreadable'), 'circuit_open']);
  expect(standIn.requests).toHaveLength(5);
  await providers.close();
  await standIn.close();
});

it('a model whose provider is not set up fails without asking anybody', async () => {
  const providers = behind(new OpenAi({ apiKey: KEY, baseUrl: 'http://127.0.0.1:9' }));
  const failure = await failureOf(providers.generate(requestFor('fal-ai/flux/schnell')));
  expect(failure).toMatchObject({ reason: 'not_configured', code: 'provider_error' });
  await providers.close();
});

it('a bug of an adapter is a runtime error, logged without its prompt', async () => {
  const broken: Provider = {
    name: 'openai',
    generate: ({ prompt }) => Promise.reject(new TypeError(`cannot read ${prompt}`)),
    close: async () => undefined,
  };
  const providers = behind(broken);
  const failure = await failureOf(providers.generate(requestFor('gpt-image-2')));
  expect(failure).toMatchObject({ reason: 'internal', code: 'runtime_error' });
  expect(providers.text()).toMatch(/"error":"TypeError","at":\["at .*failures\.test\.ts/);
  expect(providers.text()).not.toContain(PROMPT);
});
