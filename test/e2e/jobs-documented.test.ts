/** The documentation of /v2, table by table: each field and each row by its name, against providers that speak their own wire. */
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openCloudflare } from '../providers/cloudflare.js';
import { openGoogle } from '../providers/google.js';
import { openOpenAi } from '../providers/openai.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';
import { launch } from '../support/process.js';

const KEY = 'sk-a-key-that-nobody-may-see';

let cloudflare: StandIn;
let google: StandIn;
let openai: StandIn;
let platform: Platform;
let client: Client;
/** Of an account on the Pro plan, with the milestone reached. */
let pro: string;
let free: string;

async function admin(...words: string[]): Promise<void> {
  const { exited, output } = launch(['admin', ...words], { DATA_DIR: platform.dataDir });
  expect([await exited, output()]).toEqual([0, expect.any(String)]);
}

beforeAll(async () => {
  [cloudflare, google, openai] = await Promise.all([openCloudflare(), openGoogle(), openOpenAi()]);
  platform = await oneProcess({
    CLOUDFLARE_ACCOUNT_ID: 'account',
    CLOUDFLARE_API_TOKEN: KEY,
    CLOUDFLARE_BASE_URL: cloudflare.url,
    GEMINI_API_KEY: KEY,
    GEMINI_BASE_URL: google.url,
    OPENAI_API_KEY: KEY,
    OPENAI_BASE_URL: `${openai.url}/v1`,
    UNLOCK_GOAL_USD: '0',
  });
  client = clientOf(platform);
  pro = (await client.account('pro@example.com')).key;
  free = (await client.account('free@example.com')).key;
  await admin('plan', 'pro@example.com', 'pro', '--until', '2999-01-01');
});
afterAll(async () => {
  await platform?.stop();
  await Promise.all([cloudflare, google, openai].map((service) => service?.close()));
});
beforeEach(() => {
  for (const service of [cloudflare, google, openai]) service.reset();
});

const generate = (body: object, key = pro) =>
  client.rest('POST', '/v2/generate', key, { prompt: 'A mountain landscape at sunset', sync: true, ...body });
const job = (id: string, key = pro) => client.rest('GET', `/v2/jobs/${id}`, key);
const credits = async (key = pro) => (await client.rest('GET', '/v2/billing/status', key)).body.quotaRemaining;
const fields = ({ body }: { body: { details?: { field: string }[] } }) =>
  body.details?.map(({ field }) => field).sort();

/** What one picture costs, by what it leaves behind. */
async function costOf(body: object): Promise<{ cost: number; answer: Awaited<ReturnType<typeof generate>> }> {
  const before = await credits();
  const answer = await generate(body);
  // It is charged a moment after it is shown.
  await expect.poll(async () => (await client.rest('GET', '/v2/billing/status', pro)).body.credits.reserved).toBe(0);
  return { cost: before - (await credits()), answer };
}

async function picture(url: string) {
  const response = await fetch(new URL(new URL(url).pathname + new URL(url).search, platform.url));
  const bytes = Buffer.from(await response.arrayBuffer());
  const { format, width, height, hasAlpha } = await sharp(bytes).metadata();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    format,
    width,
    height,
    hasAlpha,
    bytes,
  };
}

describe('Tier defaults', () => {
  it.each([
    ['draft', 1, '@cf/bytedance/stable-diffusion-xl-lightning', false, true],
    ['standard', 2, '@cf/black-forest-labs/flux-2-klein-4b', false, true],
    ['premium', 5, '@cf/black-forest-labs/flux-2-dev', false, true],
    ['ultra', 10, 'gemini-3.1-flash-image-preview', true, false],
    ['ultra_plus', 20, 'gemini-3-pro-image-preview', true, false],
  ])('%s: %i credits, %s, img2img %s, seed %s', async (quality_tier, price, model_id, img2img, seeded) => {
    const { cost, answer } = await costOf({ quality_tier, seed: 4711 });
    expect([answer.status, cost]).toEqual([201, price]);
    expect(answer.body).toMatchObject({ state: 'completed', quality_tier, model_id, seed_used: seeded ? 4711 : null });
    const source = await generate({ quality_tier, input_job_id: answer.body.job_id });
    expect(source.status).toBe(img2img ? 201 : 400);
    if (!img2img) expect(fields(source)).toEqual(['input_job_id']);
  });
});

describe('OpenAI models, all billed at ultra', () => {
  it.each(['gpt-image-1-mini', 'gpt-image-1.5', 'gpt-image-2'])('%s: 10 credits', async (openai_model) => {
    const { cost, answer } = await costOf({ openai_model, quality_tier: 'draft' });
    expect([answer.status, cost]).toEqual([201, 10]);
    expect(answer.body).toMatchObject({ model_id: openai_model, quality_tier: 'ultra', seed_used: null });
    expect(openai.last().json).toMatchObject({ model: openai_model });
  });

  it('gpt-image-1 was retired on Oct 23, 2026, and says what to use in its place', async () => {
    const { status, body } = await generate({ openai_model: 'gpt-image-1' });
    expect([status, body.error, body.hint]).toEqual([
      400,
      'validation_error',
      'Use gpt-image-1.5 or gpt-image-2 instead.',
    ]);
  });

  it('gpt-image-2 draws arbitrary aspect ratios', async () => {
    const { body } = await generate({ openai_model: 'gpt-image-2', aspect_ratio: '21:9' });
    expect(openai.last().json['size']).toBe('1536x672');
    expect(await picture(body.asset_url)).toMatchObject({ width: 1536, height: 672 });
  });
});

describe('Cloudflare models, billed at the tier of the request', () => {
  it.each([
    ['@cf/black-forest-labs/flux-2-klein-9b', 'standard', 2],
    ['@cf/black-forest-labs/flux-1-schnell', 'draft', 1],
    ['@cf/leonardo/lucid-origin', 'premium', 5],
    ['@cf/leonardo/phoenix-1.0', 'premium', 5],
    ['@cf/stabilityai/stable-diffusion-xl-base-1.0', 'standard', 2],
    ['@cf/lykon/dreamshaper-8-lcm', 'premium', 5],
  ])('%s at %s: %i credits', async (cf_model, quality_tier, price) => {
    const { cost, answer } = await costOf({ cf_model, quality_tier });
    expect([answer.status, cost]).toEqual([201, price]);
    expect(answer.body).toMatchObject({ model_id: cf_model, quality_tier });
    expect(cloudflare.last().path).toContain(cf_model);
  });

  it('@cf/leonardo/lucid-origin takes no less than its floor, whatever the tier', async () => {
    expect((await costOf({ cf_model: '@cf/leonardo/lucid-origin', quality_tier: 'draft' })).cost).toBe(5);
  });

  it('@cf/runwayml/stable-diffusion-v1-5-img2img edits a picture', async () => {
    const cf_model = '@cf/runwayml/stable-diffusion-v1-5-img2img';
    expect(fields(await generate({ cf_model }))).toEqual(['mode']);
    const { status } = await generate({ cf_model, input_image: await base64(), input_strength: 0.25 });
    expect(status).toBe(201);
    expect(cloudflare.last().json).toMatchObject({ strength: 0.25, image_b64: expect.any(String) });
  });

  it('@cf/runwayml/stable-diffusion-v1-5-inpainting draws anew what its mask marks', async () => {
    const cf_model = '@cf/runwayml/stable-diffusion-v1-5-inpainting';
    const input_image = await base64();
    expect(fields(await generate({ cf_model, input_image }))).toEqual(['mask_image']);
    const { status } = await generate({ cf_model, input_image, mask_image: await base64('#ffffff') });
    expect(status).toBe(201);
    expect(cloudflare.last().json).toMatchObject({ image_b64: expect.any(String), mask: expect.any(Array) });
  });
});

async function base64(background = '#336699', type: 'png' | 'jpeg' | 'webp' = 'png'): Promise<string> {
  const bytes = await sharp({ create: { width: 64, height: 64, channels: 3, background } })
    .toFormat(type)
    .toBuffer();
  return bytes.toString('base64');
}

describe('the request body', () => {
  it('prompt: required, 1–2000 characters', async () => {
    for (const prompt of [undefined, '', '   ', 'x'.repeat(2_001), 7, null]) {
      expect(fields(await generate({ prompt }))).toEqual(['prompt']);
    }
    const { body } = await generate({ prompt: '😀'.repeat(2_000), quality_tier: 'draft' });
    expect(body).toMatchObject({ state: 'completed', original_prompt: '😀'.repeat(2_000) });
  });

  it('quality_tier: standard by default', async () => {
    expect((await generate({})).body.quality_tier).toBe('standard');
    expect(fields(await generate({ quality_tier: 'best' }))).toEqual(['quality_tier']);
  });

  it('openai_model, cf_model, model: one at most, and only those that there are', async () => {
    const [openai_model, cf_model, model] = [
      'gpt-image-2',
      '@cf/lykon/dreamshaper-8-lcm',
      'gemini-3-pro-image-preview',
    ];
    expect(fields(await generate({ openai_model, cf_model, model }))).toEqual(['cf_model', 'model', 'openai_model']);
    expect(fields(await generate({ openai_model: cf_model, cf_model: model, model: openai_model }))).toEqual([
      'cf_model',
      'model',
      'openai_model',
    ]);
    expect(fields(await generate({ cf_model, quality_tier: 'ultra' }))).toEqual(['cf_model']);
  });

  it.each(['gemini-3.1-flash-image-preview', 'gemini-3-pro-image-preview'])('model: %s', async (model) => {
    const { body } = await generate({ model });
    expect(body).toMatchObject({ model_id: model, quality_tier: model.includes('pro') ? 'ultra_plus' : 'ultra' });
    expect(google.last().path).toContain(model.replace('-preview', ''));
  });

  it.each([
    ['1:1', 1],
    ['3:2', 3 / 2],
    ['2:3', 2 / 3],
    ['4:3', 4 / 3],
    ['3:4', 3 / 4],
    ['16:9', 16 / 9],
    ['9:16', 9 / 16],
    ['21:9', 21 / 9],
    ['4:5', 4 / 5],
    ['5:4', 5 / 4],
  ])('aspect_ratio: %s', async (aspect_ratio, ratio) => {
    const { body } = await generate({ aspect_ratio, quality_tier: 'draft', output_format: 'png' });
    const { width = 0, height = 1 } = await picture(body.asset_url);
    expect(Math.abs(width / height / ratio - 1)).toBeLessThan(0.02);
  });

  it('aspect_ratio: nothing else', async () => {
    expect(fields(await generate({ aspect_ratio: '7:5' }))).toEqual(['aspect_ratio']);
  });

  it.each([
    ['512', 'ultra'],
    ['1K', 'ultra'],
    ['2K', 'ultra'],
    ['4K', 'ultra'],
    ['1K', 'ultra_plus'],
  ])('image_size: %s on %s', async (image_size, quality_tier) => {
    // What it would cost is none of what is looked at here, and the pictures are large.
    const { status } = await generate({ image_size, quality_tier, sync: false });
    expect(status).toBe(202);
    await expect.poll(() => google.requests.length, { timeout: 10_000 }).toBe(1);
    expect(google.last().json['generationConfig']).toMatchObject({ imageConfig: { imageSize: image_size } });
  });

  it('image_size: Gemini only, and the refusal says so', async () => {
    const { status, body } = await generate({ image_size: '1K' });
    expect([status, body.details]).toEqual([
      400,
      [
        {
          field: 'image_size',
          message: expect.stringMatching(/flux-2-klein-4b; it is by gemini-3-pro-image-preview, gemini-3.1-flash/),
        },
      ],
    ]);
    expect(fields(await generate({ image_size: '3K' }))).toEqual(['image_size']);
    expect(fields(await generate({ image_size: '512', quality_tier: 'ultra_plus' }))).toEqual(['image_size']);
  });

  it('negative_prompt: on the draft tier it reaches the model', async () => {
    const { body } = await generate({ negative_prompt: 'clouds', quality_tier: 'draft' });
    expect(cloudflare.last().json).toMatchObject({ negative_prompt: 'clouds' });
    expect(body.enhancement_logic).toContain('passed_on');
  });

  it('negative_prompt: elsewhere it is left out, which enhancement_logic says', async () => {
    const { body } = await generate({ negative_prompt: 'clouds' });
    expect(cloudflare.last().form?.get('negative_prompt')).toBeNull();
    expect(JSON.parse(body.enhancement_logic).steps).toContainEqual({
      step: 'negative_prompt',
      action: 'left_out',
      detail: '@cf/black-forest-labs/flux-2-klein-4b takes no negative prompt',
    });
  });

  it('seed: 0–2147483647, and the same picture again', async () => {
    for (const seed of [-1, 2_147_483_648, 1.5, '7']) expect(fields(await generate({ seed }))).toEqual(['seed']);
    for (const seed of [0, 2_147_483_647]) {
      expect((await generate({ seed, quality_tier: 'draft' })).body.seed_used).toBe(seed);
      expect(cloudflare.last().json['seed']).toBe(seed);
    }
  });

  it('seed: of our choice when none is sent, and named afterwards', async () => {
    const { body } = await generate({ quality_tier: 'draft' });
    expect(cloudflare.last().json['seed']).toBe(body.seed_used);
  });

  it('seed: ignored by Gemini', async () => {
    expect((await generate({ quality_tier: 'ultra', seed: 5 })).body).toMatchObject({
      state: 'completed',
      seed_used: null,
    });
  });

  it('mode: txt2img by default; img2img needs a picture, txt2img takes none', async () => {
    expect(fields(await generate({ mode: 'img2img', quality_tier: 'ultra' }))).toEqual(['mode']);
    expect(fields(await generate({ mode: 'inpaint' }))).toEqual(['mode']);
    const input_image = await base64();
    expect(fields(await generate({ mode: 'txt2img', quality_tier: 'ultra', input_image }))).toEqual(['input_image']);
    expect((await generate({ mode: 'img2img', quality_tier: 'ultra', input_image })).status).toBe(201);
  });

  it('input_job_id: the picture of a completed job', async () => {
    const source = await generate({ quality_tier: 'draft', output_format: 'png' });
    const { status } = await generate({ quality_tier: 'ultra', mode: 'img2img', input_job_id: source.body.job_id });
    expect(status).toBe(201);
    expect(JSON.stringify(google.last().json)).toContain(
      (await picture(source.body.asset_url)).bytes.toString('base64'),
    );
    const nobodys = '01900000-0000-7000-8000-000000000000';
    for (const input_job_id of [nobodys, 'no id']) {
      const { status, body } = await generate({ quality_tier: 'ultra', input_job_id });
      expect([status, body.error]).toEqual([404, 'not_found']);
    }
  });

  it('input_asset_url: a prior asset, without fetching it', async () => {
    const source = await generate({ quality_tier: 'draft' });
    const { status } = await generate({ quality_tier: 'ultra', input_asset_url: source.body.asset_url });
    expect(status).toBe(201);
    expect(JSON.stringify(google.last().json)).toContain('inlineData');
  });

  it('input_asset_url: no address inside of our network, and no address of nothing', async () => {
    for (const input_asset_url of [
      `${cloudflare.url}/x.png`,
      'http://169.254.169.254/',
      `${platform.url}/v2/assets/00`,
    ]) {
      expect(fields(await generate({ quality_tier: 'ultra', input_asset_url }))).toEqual(['input_asset_url']);
    }
    expect(fields(await generate({ quality_tier: 'ultra', input_asset_url: 'ftp://example.com/a.png' }))).toEqual([
      'input_asset_url',
    ]);
    expect(cloudflare.requests).toHaveLength(0);
  });

  it.each(['png', 'jpeg', 'webp'] as const)('input_image: base64 of a %s, with or without a data URL', async (type) => {
    const bare = await base64('#123456', type);
    for (const input_image of [bare, `data:image/${type};base64,${bare}`]) {
      expect((await generate({ quality_tier: 'ultra', input_image })).status).toBe(201);
    }
  });

  it('input_image: what is no base64, or no picture, or too large', async () => {
    expect(fields(await generate({ quality_tier: 'ultra', input_image: 'not base64!' }))).toEqual(['input_image']);
    expect(fields(await generate({ quality_tier: 'ultra', input_image: 'A'.repeat(12_000_000) }))).toEqual([
      'input_image',
    ]);
    const { status, body } = await generate({
      quality_tier: 'ultra',
      input_image: Buffer.from('no').toString('base64'),
    });
    expect([status, body.error]).toEqual([415, 'unsupported_image_type']);
  });

  it('mask_image: only for models that can inpaint, with a picture', async () => {
    const [input_image, mask_image] = [await base64(), await base64('#ffffff')];
    const { status, body } = await generate({ quality_tier: 'ultra', input_image, mask_image });
    expect([status, body.details?.[0]?.field]).toEqual([400, 'mask_image']);
    expect(body.message).toMatch(/stable-diffusion-v1-5-inpainting/);
    expect((await generate({ openai_model: 'gpt-image-2', input_image, mask_image })).status).toBe(201);
    expect(openai.last().form?.has('mask')).toBe(true);
  });

  it('input_strength: 0–1, for RunwayML', async () => {
    const cf_model = '@cf/runwayml/stable-diffusion-v1-5-img2img';
    const input_image = await base64();
    for (const input_strength of [-0.1, 1.1, 'much']) {
      expect(fields(await generate({ cf_model, input_image, input_strength }))).toEqual(['input_strength']);
    }
    const elsewhere = await generate({ quality_tier: 'ultra', input_image, input_strength: 0.5 });
    expect(elsewhere.body.details[0]).toEqual({
      field: 'input_strength',
      message: expect.stringMatching(/not taken by gemini-3.1-flash.*it is by @cf\/runwayml/),
    });
  });

  it.each(['png', 'webp', 'avif'])('output_format: %s', async (output_format) => {
    const { body } = await generate({ quality_tier: 'draft', output_format });
    expect(body.output_format).toBe(output_format);
    const { type, format } = await picture(body.asset_url);
    expect([type, format === 'heif' ? 'avif' : format]).toEqual([`image/${output_format}`, output_format]);
  });

  it('output_format: webp by default, and nothing else', async () => {
    expect((await generate({ quality_tier: 'draft' })).body.output_format).toBe('webp');
    expect(fields(await generate({ output_format: 'gif' }))).toEqual(['output_format']);
  });

  it('output_quality: 1–100', async () => {
    for (const output_quality of [0, 101, 50.5])
      expect(fields(await generate({ output_quality }))).toEqual(['output_quality']);
    expect((await generate({ quality_tier: 'draft', output_quality: 1 })).status).toBe(201);
  });

  it.each([
    ['thumbnail', 256, 256],
    ['standard', 1024, 1024],
    ['hero', 1600, 900],
    ['portrait', 900, 1200],
  ])('output_preset: %s', async (output_preset, width, height) => {
    const { body } = await generate({ quality_tier: 'draft', output_preset });
    expect(body.preset_url).toBe(`${body.asset_url}?preset=${output_preset}`);
    expect(await picture(body.preset_url)).toMatchObject({ status: 200, width, height });
  });

  it('output_preset: nothing else', async () => {
    expect(fields(await generate({ output_preset: 'huge' }))).toEqual(['output_preset']);
  });

  it('background_removal: a transparent PNG at bg_removed_url', async () => {
    const { body } = await generate({ quality_tier: 'draft', background_removal: true });
    expect(await picture(body.bg_removed_url)).toMatchObject({ type: 'image/png', format: 'png', hasAlpha: true });
    expect((await generate({ quality_tier: 'draft' })).body.bg_removed_url).toBeNull();
  });

  it.each([
    ['draft', 201],
    ['standard', 201],
    ['premium', 202],
    ['ultra', 202],
  ])('sync: by default %s answers %i', async (quality_tier, expected) => {
    const { status, body } = await generate({ quality_tier, sync: undefined });
    expect([status, body.state]).toEqual([expected, expected === 201 ? 'completed' : 'queued']);
  });

  it('sync: false answers 202 with a queued job, true 201 with the finished one', async () => {
    expect(await generate({ sync: false })).toMatchObject({ status: 202, body: { state: 'queued', asset_url: null } });
    expect(await generate({ quality_tier: 'premium', sync: true })).toMatchObject({
      status: 201,
      body: { state: 'completed', asset_url: expect.any(String) },
    });
  });

  it('idempotency_key: the same job again; another body is a conflict', async () => {
    const named = { idempotency_key: 'order-1', quality_tier: 'draft' };
    const before = await credits();
    const first = await generate(named);
    const again = await generate(named);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(await generate({ ...named, prompt: 'another' })).toMatchObject({ status: 409, body: { error: 'conflict' } });
    await expect.poll(() => credits()).toBe(before - 1);
    expect(fields(await generate({ idempotency_key: 'x'.repeat(256) }))).toEqual(['idempotency_key']);
  });

  it('names every bad field at once', async () => {
    const bad = { prompt: '', quality_tier: 1, seed: -1, output_quality: 0, sync: 'yes', aspect_ratio: 'wide' };
    expect(fields(await generate(bad))).toEqual(Object.keys(bad).sort());
    const misfit = { image_size: '1K', input_image: await base64(), mask_image: await base64(), input_strength: 1 };
    expect(fields(await generate(misfit))).toEqual(Object.keys(misfit).sort());
  });
});

describe('the job that comes back', () => {
  it('has every documented field, queued and completed', async () => {
    const { body } = await generate({ sync: false });
    expect(body).toEqual({
      job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: 'queued',
      original_prompt: 'A mountain landscape at sunset',
      final_prompt: expect.stringMatching(/^A mountain landscape at sunset, /),
      enhancement_logic: expect.stringMatching(/^\{"steps":\[/),
      model_id: '@cf/black-forest-labs/flux-2-klein-4b',
      quality_tier: 'standard',
      asset_url: null,
      preset_url: null,
      bg_removed_url: null,
      output_format: 'webp',
      seed_used: null,
      error: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      completed_at: null,
    });
    await expect.poll(async () => (await job(body.job_id)).body.state).toBe('completed');
    expect((await job(body.job_id)).body).toEqual({
      ...body,
      state: 'completed',
      asset_url: expect.stringMatching(/\/v2\/assets\/[0-9a-f]{64}$/),
      seed_used: expect.any(Number),
      completed_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it.each([
    ['failed', 'refuse'],
    ['failed', 'server_error'],
    ['failed_encoding', 'not_a_picture'],
  ] as const)('%s when the provider does this: %s; and costs nothing', async (state, behaviour) => {
    const before = await credits();
    cloudflare.behave(behaviour);
    const { status, body } = await generate({ quality_tier: 'draft' });
    expect([status, body.asset_url, body.error]).toEqual([201, null, expect.any(String)]);
    // An adapter may find out by itself that the bytes are no picture.
    expect(state === 'failed_encoding' ? ['failed', 'failed_encoding'] : ['failed']).toContain(body.state);
    await expect.poll(() => credits()).toBe(before);
    cloudflare.behave('answer');
    await generate({ quality_tier: 'draft' });
  });

  it('is in the list, newest first, page by page', async () => {
    const { body } = await client.rest('GET', '/v2/jobs?limit=3', pro);
    expect(body.jobs).toHaveLength(3);
    const next = await client.rest('GET', `/v2/jobs?limit=3&cursor=${body.next_cursor}`, pro);
    const ids = [...body.jobs, ...next.body.jobs].map(({ job_id }: { job_id: string }) => job_id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect((await client.rest('GET', '/v2/jobs', free)).body).toEqual({ jobs: [], next_cursor: null });
  });
});

describe('Usage limits', () => {
  it.each([
    ['openai_model', { openai_model: 'gpt-image-1-mini' }],
    ['openai_model, community-locked', { openai_model: 'gpt-image-2' }],
    ['model', { model: 'gemini-3-pro-image-preview' }],
    ['ultra', { quality_tier: 'ultra' }],
    ['ultra_plus', { quality_tier: 'ultra_plus' }],
  ])('Free, with %s: 403 at the subscription gate, before anything is held', async (_what, body) => {
    const answer = await generate(body, free);
    expect([answer.status, answer.body.error, answer.body.details]).toEqual([
      403,
      'forbidden',
      { gate: 'subscription' },
    ]);
    expect(await credits(free)).toBe(50);
  });

  it('Credit pack only: no more than Free, whatever was bought', async () => {
    const { key } = await client.account('packs@example.com');
    await admin('grant', 'packs@example.com', '--credits', '1000');
    expect((await generate({ quality_tier: 'ultra' }, key)).body.details).toEqual({ gate: 'subscription' });
    expect((await generate({ quality_tier: 'premium' }, key)).status).toBe(201);
  });

  it('Pro and Agency: all tiers, once the milestone is reached', async () => {
    const { key } = await client.account('agency@example.com');
    await admin('plan', 'agency@example.com', 'agency', '--until', '2999-01-01');
    expect((await generate({ quality_tier: 'ultra_plus' }, key)).status).toBe(201);
    expect((await generate({ quality_tier: 'ultra_plus' })).status).toBe(201);
  });

  it('out of credits: 429, and a soft warning from 80 % on', async () => {
    const { key } = await client.account('spender@example.com');
    for (let i = 0; i < 8; i++) expect((await generate({ quality_tier: 'premium' }, key)).status).toBe(201);
    const near = await client.rest('GET', '/v2/jobs?limit=1', key);
    await expect
      .poll(async () => (await client.rest('GET', '/v2/jobs?limit=1', key)).headers.get('x-quota-warning'), {
        timeout: 20_000,
      })
      .toMatch(/80% of your credits are used; 10 left/);
    expect(near.status).toBe(200);
    for (let i = 0; i < 2; i++) await generate({ quality_tier: 'premium' }, key);
    const refused = await generate({ quality_tier: 'draft' }, key);
    expect([refused.status, refused.body.error]).toEqual([429, 'quota_exhausted']);
  });
});

describe('GET /v2/models', () => {
  const list = async (query = '', key?: string) =>
    new Map<string, Record<string, unknown>>(
      (await client.rest('GET', `/v2/models${query}`, key)).body.models.map((model: { id: string }) => [
        model.id,
        model,
      ]),
    );

  it('has every documented field, with the values of the example', async () => {
    expect((await list()).get('@cf/black-forest-labs/flux-2-dev')).toEqual({
      id: '@cf/black-forest-labs/flux-2-dev',
      quality_tier: 'premium',
      is_default: true,
      provider: 'cloudflare',
      parameter: 'cf_model',
      // Where the example and the tables differ, the tables hold: it takes a seed.
      capabilities: { txt2img: true, img2img: false, inpaint: false, negative_prompt: false, seed_control: true },
      cost_tier: 'medium',
      latency_class: 'slow',
      credits_per_request: 5,
      min_credits: 5,
      output_types: ['png', 'webp', 'avif'],
      default_size: '1024x768',
      is_available: true,
      retires_at: null,
      unlock_status: null,
    });
  });

  it('is_default: the models that a tier selects, one for each', async () => {
    const defaults = [...(await list()).values()].filter(({ is_default }) => is_default);
    expect(defaults.map(({ quality_tier }) => quality_tier).sort()).toEqual([
      'draft',
      'premium',
      'standard',
      'ultra',
      'ultra_plus',
    ]);
  });

  it('credits_per_request: null for selectable Cloudflare models, set for all others', async () => {
    for (const { provider, is_default, credits_per_request } of (await list()).values()) {
      if (provider === 'cloudflare' && !is_default) expect(credits_per_request).toBeNull();
      else expect(credits_per_request).toEqual(expect.any(Number));
    }
  });

  it('unlock_status: on every frontier model, and on no other', async () => {
    for (const { provider, unlock_status } of (await list()).values()) {
      if (provider === 'openai' || provider === 'google') expect(unlock_status).toMatchObject({ type: 'unlocked' });
      else expect(unlock_status).toBeNull();
    }
  });

  it.each([
    ['txt2img', 'gpt-image-2', '@cf/runwayml/stable-diffusion-v1-5-img2img'],
    ['img2img', 'gemini-3-pro-image-preview', '@cf/black-forest-labs/flux-2-dev'],
    ['inpaint', '@cf/runwayml/stable-diffusion-v1-5-inpainting', 'gemini-3-pro-image-preview'],
    ['negative_prompt', '@cf/bytedance/stable-diffusion-xl-lightning', 'gpt-image-2'],
    ['seed_control', '@cf/black-forest-labs/flux-2-klein-4b', 'gemini-3.1-flash-image-preview'],
  ])('capability=%s', async (capability, has, hasNot) => {
    const models = await list(`?capability=${capability}`);
    expect([models.has(has), models.has(hasNot)]).toEqual([true, false]);
  });

  it('capability: nothing else', async () => {
    expect((await client.rest('GET', '/v2/models?capability=magic')).status).toBe(400);
  });

  it('is the same for everybody with optional auth, without the built-in models while Cloudflare is set up', async () => {
    const [anonymous, subscriber] = [await list(), await list('', pro)];
    expect([...anonymous.keys()]).toEqual([...subscriber.keys()]);
    expect([...anonymous.keys()].filter((id) => id.startsWith('local/'))).toEqual([]);
    expect(anonymous.get('gpt-image-1')).toMatchObject({ is_available: false, retires_at: '2026-10-23' });
  });
});

it('has written neither a key nor a prompt into any log or metric', async () => {
  const pages = await Promise.all(platform.programs.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const written = [...platform.programs.map((program) => program.output()), ...pages].join('\n');
  expect(written).toContain('darkroom_jobs_total');
  expect(written).not.toContain(KEY);
  expect(written).not.toContain('mountain landscape');
});
