/** A provider that misbehaves, seen from outside: the documented answers, nothing charged, nothing told, and its circuit. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFal } from '../providers/fal.js';
import { openOpenAi } from '../providers/openai.js';
import type { Behaviour, StandIn } from '../providers/stand-in.js';
import { type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';

const KEY = 'sk-test-a-key-that-nobody-may-see';
const MARKER = 'marker-5d1e0c';
const TIMEOUT_MS = 3_000;
const RUNS = '/v1/image-generators/system:image-ultra/runs';

describe.each(SHAPES)('with OpenAI and fal set up, in %s', (_shape, shape) => {
  let openai: StandIn;
  let fal: StandIn;
  let platform: Platform;
  let client: Client;
  let key: string;

  beforeAll(async () => {
    openai = await openOpenAi();
    // Its filter dislikes the second picture of a call.
    fal = await openFal([1]);
    platform = await shape({
      FAL_KEY: KEY,
      FAL_BASE_URL: fal.url,
      // The stand-in's pictures lie on loopback.
      ALLOW_PRIVATE_FETCH: 'on',
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: `${openai.url}/v1`,
      PROVIDER_TIMEOUT_MS: String(TIMEOUT_MS),
    });
    client = clientOf(platform);
    ({ key } = await client.account('providers@example.com'));
  });
  afterAll(async () => {
    await platform?.stop();
    await openai?.close();
    await fal?.close();
  });

  const run = () => client.rest('POST', RUNS, key, { prompt: `a harbour ${MARKER}` });

  /** Of all processes: a worker holds the same parts, but runs nothing for callers. */
  async function circuitStates(): Promise<string[]> {
    const pages = await Promise.all(platform.programs.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    return pages.flatMap((page) =>
      [...page.matchAll(/^darkroom_circuit_state\{target="image:openai",state="(\w+)"\} 1$/gm)].map(
        ([, state = '']) => state,
      ),
    );
  }

  it('lists its models as available, and the built-in ones as not', async () => {
    const { status, body } = await client.rest('GET', '/v1/models?limit=100');
    expect(status).toBe(200);
    const found = (slug: string) => body.items.find((model: { slug: string }) => model.slug === slug);
    expect(found('gpt-image-2')).toMatchObject({
      provider: 'openai',
      contracts: ['text_to_image', 'image_to_image'],
      price: 0.053,
      available: true,
      tiers: ['image-ultra'],
    });
    expect(found('local/atelier')).toMatchObject({ available: false, tiers: [], price: 0.01 });
    expect(found('gpt-image-1')).toMatchObject({ available: false, retires_at: '2026-10-23' });
    const names = body.items.map(({ slug }: { slug: string }) => slug);
    const graph = await client.graph('{ models(first: 100) { nodes { slug price contracts } nextCursor } }');
    expect(graph.body.data.models.nodes.map(({ slug }: { slug: string }) => slug)).toEqual(names);
    const first = await client.rest('GET', '/v1/models?limit=10');
    const second = await client.rest('GET', `/v1/models?limit=100&cursor=${first.body.next_cursor}`);
    expect([...first.body.items, ...second.body.items]).toEqual(body.items);
    expect(second.body.next_cursor).toBeNull();
  });

  it.each([
    ['bytes', 'gpt-image-1-mini', { image_size: '1536x1024' }, 0.015, [1536, 1024], ['image/png', 'image/png']],
    ['addresses', 'fal-ai/flux/schnell', { image_size: '768x512' }, 0.003, [768, 512], ['image/png', null]],
  ])(
    'hosts what comes as %s, and charges for what came',
    async (_form, model, params, price, [width, height], types) => {
      const body = { prompt: `a harbour ${MARKER}`, model, params, num_images: 2 };
      const answer = await client.rest('POST', '/v1/image-generators/any/runs', key, body);
      expect(answer.status).toBe(200);
      const came = types.filter((type) => type !== null).length;
      expect(answer.body).toMatchObject({ status: 'complete', model, width, height, num_images: 2 });
      expect(answer.body.cost_usd).toBeCloseTo(came * price, 6);
      const hosted: ({ url: string } | null)[] = answer.body.hosted_images;
      const served = await Promise.all(
        hosted.map(async (image) => {
          if (image === null) return null;
          const headers = { authorization: `Bearer ${key}` };
          const response = await fetch(new URL(new URL(image.url).pathname, platform.url), { headers });
          return response.status === 200 ? response.headers.get('content-type') : response.status;
        }),
      );
      expect(served).toEqual(types);
    },
  );

  it.each<[Behaviour, string]>([
    ['refuse', 'provider_error'],
    ['bad_key', 'provider_error'],
    ['rate_limited', 'provider_error'],
    ['redirect', 'provider_error'],
    ['garbage', 'provider_error'],
    ['hang', 'timeout'],
  ])('answers 200 with status error when it does this: %s', async (behaviour, code) => {
    // A refusal closes the circuit, so that each case stands alone.
    openai.behave('refuse');
    await run();
    openai.behave(behaviour);
    const { status, body } = await run();
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'error', error_code: code, cost_usd: 0, image_urls: [], image_url: null });
    expect(JSON.stringify(body)).not.toContain(KEY);
  });

  it('stops asking it after five failures in a row, shows that in metrics, and answers at once', async () => {
    openai.behave('refuse');
    await run();
    expect(new Set(await circuitStates())).toEqual(new Set(['closed']));
    openai.behave('server_error');
    for (let i = 0; i < 5; i++) await run();
    expect(await circuitStates()).toContain('open');
    const asked = openai.requests.length;
    const { body } = await run();
    expect(body).toMatchObject({ status: 'error', error_code: 'provider_error', cost_usd: 0 });
    expect(body.error_message).toMatch(/has been failing/);
    expect(openai.requests).toHaveLength(asked);
  });

  it('has written neither its key nor a prompt into any log or metric', async () => {
    const pages = await Promise.all(platform.programs.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    const written = [...platform.programs.map((program) => program.output()), ...pages].join('\n');
    expect(written).toContain('image provider gave no picture');
    expect(written).not.toContain(KEY);
    expect(written).not.toContain(MARKER);
  });
});
