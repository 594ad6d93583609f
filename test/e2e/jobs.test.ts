/** Jobs as people meet them on a fresh start, without any key of a provider: in one process and in many. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';
import { launch } from '../support/process.js';

const PROMPT = 'A lighthouse above a stormy sea';

describe.each(SHAPES)('jobs in %s', (_shape, open) => {
  let platform: Platform;
  let client: Client;
  let ada: Account;
  let bob: Account;

  beforeAll(async () => {
    // Of all processes the same: their ports are not.
    const PUBLIC_URL = 'http://localhost:4000';
    platform = await open({
      PUBLIC_URL,
      ANONYMOUS_MONTHLY_IMAGES: '3',
      QUEUE_PER_TENANT: '8',
      RETENTION_JOBS_DAYS: '7',
    });
    client = clientOf(platform);
    ada = await client.account('ada@example.com');
    bob = await client.account('bob@example.com');
    await admin('grant', 'ada@example.com', '--credits', '500');
  });
  afterAll(() => platform?.stop());

  async function admin(...words: string[]): Promise<void> {
    expect(await launch(['admin', ...words], platform.env).exited).toBe(0);
  }
  const generate = (body: object, key: string | undefined = ada.key) =>
    client.rest('POST', '/v2/generate', key, { prompt: PROMPT, quality_tier: 'draft', ...body });
  const anonymous = (method: string, path: string, body?: object) => client.rest(method, path, undefined, body);
  const job = (id: string, key = ada.key) => client.rest('GET', `/v2/jobs/${id}`, key);
  const ended = async (id: string, key = ada.key) => {
    await expect.poll(async () => (await job(id, key)).body.state, { timeout: 20_000 }).toMatch(/completed|failed/);
    return (await job(id, key)).body;
  };
  async function picture(url: string) {
    const response = await fetch(platform.url + new URL(url).pathname + new URL(url).search);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, bytes, ...(response.ok && (await sharp(bytes).metadata())) };
  }

  it.each([
    ['draft', 'local/sketch', 1],
    ['standard', 'local/atelier', 2],
    ['premium', 'local/gallery', 5],
  ])('%s is drawn at once by %s', async (quality_tier, model_id, price) => {
    const { status, body } = await generate({ quality_tier, sync: true });
    expect([status, body.state, body.model_id]).toEqual([201, 'completed', model_id]);
    expect(await picture(body.asset_url)).toMatchObject({ status: 200, format: 'webp' });
    const graph = await client.graph(
      'query ($id: ID!) { job(id: $id) { credits image { url bytes owner { email } } } }',
      { id: body.job_id },
      ada.key,
    );
    expect(graph.body.data.job).toMatchObject({
      credits: price,
      image: { url: body.asset_url, owner: { email: ada.email } },
    });
  });

  it('an asynchronous job goes through its states, and its caller can watch', async () => {
    const { status, body } = await generate({ sync: false, seed: 42 });
    expect([status, body.state]).toEqual([202, 'queued']);
    expect(await ended(body.job_id)).toMatchObject({ state: 'completed', seed_used: 42 });
    const again = await generate({ sync: true, seed: 42 });
    expect(again.body.asset_url).toBe((await job(body.job_id)).body.asset_url);
  });

  it('goes by the picture of a job, of an address or in base64, and by a mask', async () => {
    const source = await generate({ seed: 1, output_format: 'png' });
    const { bytes } = await picture(source.body.asset_url);
    const mask = await sharp({ create: { width: 512, height: 512, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    const kept = { seed: 2, input_strength: 0, output_format: 'png' };
    const answers = await Promise.all([
      generate({ ...kept, input_job_id: source.body.job_id }),
      generate({ ...kept, input_asset_url: source.body.asset_url }),
      generate({ ...kept, input_image: bytes.toString('base64') }),
      generate({ ...kept, input_image: bytes.toString('base64'), mask_image: mask.toString('base64') }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.state])).toEqual(Array(4).fill([201, 'completed']));
    const [byJob, byUrl, byBytes, masked] = answers.map(({ body }) => body.asset_url);
    expect([byUrl, byBytes]).toEqual([byJob, byJob]);
    // Nothing is marked in the mask, so the source comes back as it was.
    const pixels = async (url: string) =>
      sharp((await picture(url)).bytes)
        .removeAlpha()
        .raw()
        .toBuffer();
    expect(Buffer.compare(await pixels(masked), await pixels(source.body.asset_url))).toBe(0);
  });

  it('a better quality takes more bytes', async () => {
    const sizes = [];
    for (const output_quality of [10, 95]) {
      sizes.push((await picture((await generate({ seed: 3, output_quality })).body.asset_url)).bytes.length);
    }
    expect(sizes[0]).toBeLessThan((sizes[1] ?? 0) / 2);
  });

  it('the frontier is locked for subscribers too, until the community has reached its goal', async () => {
    await admin('plan', 'bob@example.com', 'pro', '--until', '2999-01-01');
    for (const body of [{ quality_tier: 'ultra' }, { openai_model: 'gpt-image-2' }]) {
      const answer = await generate(body, bob.key);
      expect([answer.status, answer.body.error, answer.body.details]).toEqual([
        403,
        'forbidden',
        { gate: 'milestone' },
      ]);
    }
    const models = (await client.rest('GET', '/v2/models', bob.key)).body.models;
    const of = (id: string) => models.find((model: { id: string }) => model.id === id);
    expect(of('gpt-image-2')).toMatchObject({
      is_available: false,
      unlock_status: {
        type: 'community_milestone',
        display_current: 0,
        display_goal: expect.any(Number),
        funded_basis: true,
        unlock_url: expect.any(String),
        agent_hint: expect.any(String),
      },
    });
    expect(of('gpt-image-1-mini')).toMatchObject({ is_available: false, unlock_status: { type: 'unlocked' } });
    expect(of('local/atelier')).toMatchObject({ is_default: true, is_available: true, unlock_status: null });
    expect(of('@cf/black-forest-labs/flux-2-dev')).toMatchObject({ is_default: false, is_available: false });
    const open = await generate({ openai_model: 'gpt-image-1-mini' }, bob.key);
    expect([open.status, open.body.error]).toEqual([503, 'unavailable']);
  });

  it('twenty equal requests with one key at once are one job, charged once', async () => {
    const before = (await client.rest('GET', '/v2/billing/status', ada.key)).body.quotaRemaining;
    const body = { idempotency_key: 'twenty', sync: true };
    const answers = await Promise.all(Array.from({ length: 20 }, () => generate(body)));
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.job_id}`)).size).toBe(1);
    await expect
      .poll(async () => (await client.rest('GET', '/v2/billing/status', ada.key)).body.quotaRemaining)
      .toBe(before - 1);
  });

  it('a bounded number of a tenant’s jobs wait; more are told to come again', async () => {
    const many = Array.from({ length: 40 }, () => generate({ quality_tier: 'premium', sync: false }, ada.key));
    const answers = await Promise.all(many);
    const refused = answers.filter(({ status }) => status !== 202);
    expect(refused.length).toBeGreaterThan(10);
    for (const { status, body, headers } of refused) {
      expect([status, body.error, headers.get('retry-after')]).toEqual([429, 'rate_limited', '5']);
    }
    for (const { status, body } of answers) {
      if (status === 202) await client.rest('DELETE', `/v2/jobs/${body.job_id}`, ada.key);
    }
    // Those that are being drawn are let go when their worker finds out.
    const reserved = async () => (await client.rest('GET', '/v2/billing/status', ada.key)).body.credits.reserved;
    await expect.poll(reserved, { timeout: 20_000 }).toBe(0);
  });

  it('deleting a job takes its picture with it, unless another job made the same', async () => {
    const [one, two] = [await generate({ seed: 9 }), await generate({ seed: 9 })];
    expect(one.body.asset_url).toBe(two.body.asset_url);
    const remove = (id: string, key: string) => client.rest('DELETE', `/v2/jobs/${id}`, key);
    expect((await remove(one.body.job_id, bob.key)).status).toBe(404);
    expect(await remove(one.body.job_id, ada.key)).toMatchObject({ status: 204, body: null });
    expect([(await job(one.body.job_id)).status, (await remove(one.body.job_id, ada.key)).status]).toEqual([404, 404]);
    expect((await picture(two.body.asset_url)).status).toBe(200);
    await remove(two.body.job_id, ada.key);
    expect((await picture(two.body.asset_url)).status).toBe(404);
  });

  it('variations are seeded one after the other', async () => {
    const source = await generate({ seed: 5 });
    const path = `/v2/jobs/${source.body.job_id}/variations`;
    expect((await client.rest('POST', path, bob.key, {})).status).toBe(404);
    expect(
      (await client.rest('POST', path, ada.key, { count: 5, variation_strength: 2, seed: -1 })).body.details,
    ).toHaveLength(3);
    const { status, body } = await client.rest('POST', path, ada.key, { count: 2, seed: 100, variation_strength: 0.4 });
    expect([status, body.jobs.length]).toEqual([202, 2]);
    const seeds = [];
    for (const { job_id } of body.jobs) seeds.push((await ended(job_id)).seed_used);
    expect(seeds).toEqual([100, 101]);
    expect((await client.rest('POST', path, ada.key)).status).toBe(202);
  });

  it('a tenant’s key makes and sees its own jobs; one that may only read makes none', async () => {
    const { body: tenant } = await client.rest('POST', '/v2/tenants', ada.key, { name: 'shop' });
    const made = await generate({ sync: false }, tenant.api_key);
    expect(made.status).toBe(202);
    expect((await job(made.body.job_id, tenant.api_key)).status).toBe(200);
    expect((await job(made.body.job_id, ada.key)).status).toBe(404);
    expect((await client.rest('GET', '/v2/jobs', tenant.api_key)).body.jobs).toHaveLength(1);
    const named = { idempotency_key: 'shared name' };
    const [theirs, ours] = [await generate(named, tenant.api_key), await generate(named)];
    expect(theirs.body.job_id).not.toBe(ours.body.job_id);
  });

  it('says how long it keeps what, by the settings that it sweeps by', async () => {
    const { status, body } = await anonymous('GET', '/v2/retention-policy');
    expect([status, body.recoverable]).toEqual([200, false]);
    expect(body.rules).toEqual([
      {
        data: 'generated_images',
        storage: 'object store',
        ttl: '7 days from creation',
        ttl_seconds: 604_800,
        early_delete: 'DELETE /v2/jobs/{id}',
      },
      expect.objectContaining({ data: 'transient_inputs', ttl: '24 hours after job completion', ttl_seconds: 86_400 }),
      expect.objectContaining({ data: 'job_history_and_prompts', ttl_seconds: 604_800 }),
    ]);
  });

  it('nobody needs an account for a few pictures a month, which their network alone can see', async () => {
    const body = { prompt: PROMPT, quality_tier: 'premium', sync: true };
    const first = await anonymous('POST', '/v2/generate', body);
    expect([first.status, first.body.state]).toEqual([201, 'completed']);
    expect((await anonymous('GET', `/v2/jobs/${first.body.job_id}`)).body).toEqual(first.body);
    expect((await job(first.body.job_id)).status).toBe(404);
    expect((await anonymous('GET', '/v2/jobs')).body.jobs).toHaveLength(1);
    expect((await anonymous('POST', '/v2/generate', { ...body, quality_tier: 'ultra' })).body.details).toEqual({
      gate: 'subscription',
    });
    for (let i = 0; i < 2; i++) expect((await anonymous('POST', '/v2/generate', body)).status).toBe(201);
    const refused = await anonymous('POST', '/v2/generate', body);
    expect([refused.status, refused.body.error]).toEqual([429, 'quota_exhausted']);
    expect((await anonymous('DELETE', `/v2/jobs/${first.body.job_id}`)).status).toBe(204);
  });
});
