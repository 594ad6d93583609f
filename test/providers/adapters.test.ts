/** What each adapter sends to its provider, and what it makes of the documented answer. */
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cloudflare } from '../../subgraphs/registry/provider/cloudflare.js';
import { Compatible } from '../../subgraphs/registry/provider/compatible.js';
import { Fal } from '../../subgraphs/registry/provider/fal.js';
import { Google } from '../../subgraphs/registry/provider/google.js';
import type { RenderRequest } from '../../subgraphs/registry/provider/local/render.js';
import { Local } from '../../subgraphs/registry/provider/local.js';
import { OpenAi } from '../../subgraphs/registry/provider/openai.js';
import type { Picture, Provider } from '../../subgraphs/registry/provider/provider.js';
import { openCloudflare } from './cloudflare.js';
import { openFal } from './fal.js';
import { openGoogle } from './google.js';
import { openCompatibleWithUrls, openOpenAi } from './openai.js';
import { jpeg, png } from './pictures.js';
import type { StandIn } from './stand-in.js';
import { bytesOf, PROMPT, requestFor } from './support.js';

const signal = new AbortController().signal;
const open: { standIns: StandIn[]; providers: Provider[] } = { standIns: [], providers: [] };

async function standing<P extends Provider>(
  opening: Promise<StandIn>,
  make: (url: string) => P,
): Promise<[StandIn, P]> {
  const standIn = await opening;
  const provider = make(standIn.url);
  open.standIns.push(standIn);
  open.providers.push(provider);
  return [standIn, provider];
}

let reference: Picture;
let mask: Picture;

beforeAll(async () => {
  reference = { bytes: await jpeg(800, 600), contentType: 'image/jpeg' };
  const left = await sharp({ create: { width: 400, height: 600, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  const bytes = await sharp({ create: { width: 800, height: 600, channels: 3, background: 'black' } })
    .composite([{ input: left, left: 0, top: 0 }])
    .png()
    .toBuffer();
  mask = { bytes, contentType: 'image/png' };
});

afterAll(async () => {
  await Promise.all(open.providers.map((provider) => provider.close()));
  await Promise.all(open.standIns.map((standIn) => standIn.close()));
});

async function fileOf(standIn: StandIn, field: string): Promise<{ type: string; name: string; bytes: Buffer }> {
  const value = standIn.last().form?.get(field);
  if (!(value instanceof File)) throw new Error(`${field} is no file`);
  return { type: value.type, name: value.name, bytes: Buffer.from(await value.arrayBuffer()) };
}

function fields(standIn: StandIn): Record<string, string> {
  const entries = [...(standIn.last().form?.entries() ?? [])];
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

describe('OpenAI', () => {
  let standIn: StandIn;
  let provider: OpenAi;
  beforeAll(async () => {
    [standIn, provider] = await standing(
      openOpenAi(),
      (url) => new OpenAi({ apiKey: 'sk-test-1', baseUrl: `${url}/v1` }),
    );
  });
  beforeEach(() => standIn.reset());

  it('is asked for generations in JSON, with the bearer key and the size and quality that were priced', async () => {
    const outputs = await provider.generate(requestFor('gpt-image-1.5', { count: 2 }), signal);
    expect(standIn.last()).toMatchObject({ method: 'POST', path: '/v1/images/generations' });
    expect(standIn.last().headers['authorization']).toBe('Bearer sk-test-1');
    expect(standIn.last().headers['content-type']).toBe('application/json');
    expect(standIn.last().json).toEqual({
      model: 'gpt-image-1.5',
      prompt: PROMPT,
      n: 2,
      size: '1024x1024',
      quality: 'medium',
      moderation: 'auto',
    });
    expect(outputs).toHaveLength(2);
    const { contentType, bytes, seedUsed } = bytesOf(outputs[0]);
    expect(contentType).toBe('image/png');
    expect(seedUsed).toBeNull();
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 1024, height: 1024, format: 'png' });
  });

  it('passes on what params say', async () => {
    const params = { image_size: 'landscape_16_9', quality: 'high', background: 'transparent', output_format: 'webp' };
    await provider.generate(requestFor('gpt-image-1.5', { params, safety: false }), signal);
    expect(standIn.last().json).toMatchObject({
      size: '1536x1024',
      quality: 'high',
      background: 'transparent',
      output_format: 'webp',
      moderation: 'low',
    });
  });

  it('is asked for edits in multipart when there is a reference, with every picture under image[]', async () => {
    const second = { bytes: await png(64, 64), contentType: 'image/png' };
    await provider.generate(requestFor('gpt-image-2', { references: [reference, second] }), signal);
    expect(standIn.last().path).toBe('/v1/images/edits');
    expect(fields(standIn)).toEqual({
      model: 'gpt-image-2',
      prompt: PROMPT,
      n: '1',
      size: '1024x1024',
      quality: 'medium',
    });
    const pictures = standIn.last().form?.getAll('image[]') as File[];
    expect(pictures.map(({ name, type }) => ({ name, type }))).toEqual([
      { name: 'image-1.jpeg', type: 'image/jpeg' },
      { name: 'image-2.png', type: 'image/png' },
    ]);
    expect((await fileOf(standIn, 'image[]')).bytes.equals(reference.bytes)).toBe(true);
  });

  it('gets the mask in its alpha channel: transparent where ours is white', async () => {
    await provider.generate(requestFor('gpt-image-2', { references: [reference], mask }), signal);
    const { bytes, type } = await fileOf(standIn, 'mask');
    expect(type).toBe('image/png');
    const { data, info } = await sharp(bytes).extractChannel('alpha').raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 800, height: 600 });
    expect([data[0], data[799]]).toEqual([0, 255]);
  });
});

describe('Gemini', () => {
  let standIn: StandIn;
  let provider: Google;
  beforeAll(async () => {
    [standIn, provider] = await standing(openGoogle(), (url) => new Google({ apiKey: 'AIza-test', baseUrl: url }));
  });
  beforeEach(() => standIn.reset());

  it('is asked for one picture a call, with the key in its header and not in the address', async () => {
    const request = requestFor('gemini-3.1-flash-image-preview', { count: 3, seed: 7 });
    const outputs = await provider.generate(request, signal);
    expect(standIn.requests).toHaveLength(3);
    expect(standIn.last()).toMatchObject({
      method: 'POST',
      path: '/v1beta/models/gemini-3.1-flash-image:generateContent',
    });
    expect(standIn.last().headers['x-goog-api-key']).toBe('AIza-test');
    expect(standIn.last().headers['authorization']).toBeUndefined();
    expect(standIn.last().json).toEqual({
      contents: [{ role: 'user', parts: [{ text: PROMPT }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1', imageSize: '1K' } },
    });
    expect(outputs).toHaveLength(3);
    expect(bytesOf(outputs[0]).seedUsed).toBeNull();
  });

  it('takes the result and not a sketch that the model thought of on the way', async () => {
    const [output] = await provider.generate(requestFor('gemini-3-pro-image-preview'), signal);
    expect(await sharp(bytesOf(output).bytes).metadata()).toMatchObject({ width: 1024 });
  });

  it('gets references inline, aspect and resolution by their names', async () => {
    const params = { aspect_ratio: '16:9', image_size: '2K', enable_safety_checker: false };
    const request = requestFor('gemini-3-pro-image-preview', { references: [reference], params, safety: false });
    await provider.generate(request, signal);
    expect(standIn.last().json).toMatchObject({
      contents: [
        {
          parts: [
            { text: PROMPT },
            { inlineData: { mimeType: 'image/jpeg', data: Buffer.from(reference.bytes).toString('base64') } },
          ],
        },
      ],
      generationConfig: { imageConfig: { aspectRatio: '16:9', imageSize: '2K' } },
    });
    expect(standIn.last().json['safetySettings']).toContainEqual({
      category: 'HARM_CATEGORY_SEXUALLY_EXPLICIT',
      threshold: 'BLOCK_ONLY_HIGH',
    });
  });
});

describe('Workers AI', () => {
  let standIn: StandIn;
  let provider: Cloudflare;
  beforeAll(async () => {
    [standIn, provider] = await standing(
      openCloudflare(),
      (url) => new Cloudflare({ accountId: 'acc0123', apiToken: 'cf-token', baseUrl: `${url}/client/v4` }),
    );
  });
  beforeEach(() => standIn.reset());

  it('runs older models in JSON under the account and takes the bytes of the answer', async () => {
    const params = { image_size: '768x512', negative_prompt: 'people', num_steps: 8, guidance: 3 };
    const model = '@cf/bytedance/stable-diffusion-xl-lightning';
    const outputs = await provider.generate(requestFor(model, { count: 2, seed: 41, params }), signal);
    expect(standIn.last()).toMatchObject({ method: 'POST', path: `/client/v4/accounts/acc0123/ai/run/${model}` });
    expect(standIn.last().headers['authorization']).toBe('Bearer cf-token');
    const own = { prompt: PROMPT, width: 768, height: 512, negative_prompt: 'people', num_steps: 8, guidance: 3 };
    const bySeed = standIn.requests.map(({ json }) => json).sort((a, b) => Number(a['seed']) - Number(b['seed']));
    expect(bySeed).toEqual([
      { ...own, seed: 41 },
      { ...own, seed: 42 },
    ]);
    expect(outputs.map((output) => bytesOf(output).seedUsed)).toEqual([41, 42]);
    expect(await sharp(bytesOf(outputs[0]).bytes).metadata()).toMatchObject({ width: 768, height: 512 });
  });

  it('reads the type of the answer from its bytes', async () => {
    const [output] = await provider.generate(requestFor('@cf/leonardo/phoenix-1.0'), signal);
    expect(bytesOf(output).contentType).toBe('image/jpeg');
  });

  it('sends FLUX.1 nothing but what it knows, and reports no seed', async () => {
    const model = '@cf/black-forest-labs/flux-1-schnell';
    const [output] = await provider.generate(requestFor(model, { seed: 5, params: { num_steps: 6 } }), signal);
    expect(standIn.last().json).toEqual({ prompt: PROMPT, steps: 6 });
    expect(bytesOf(output).seedUsed).toBeNull();
  });

  it('sends FLUX.2 multipart and reads base64 out of the envelope', async () => {
    const params = { aspect_ratio: '16:9', num_steps: 30, guidance: 4 };
    const [output] = await provider.generate(
      requestFor('@cf/black-forest-labs/flux-2-dev', { seed: 9, params }),
      signal,
    );
    expect(fields(standIn)).toEqual({
      prompt: PROMPT,
      width: '1184',
      height: '672',
      steps: '30',
      guidance: '4',
      seed: '9',
    });
    expect(bytesOf(output)).toMatchObject({ contentType: 'image/png', seedUsed: 9 });
  });

  it('shrinks references for FLUX.2, which refuses large ones', async () => {
    await provider.generate(requestFor('@cf/black-forest-labs/flux-2-klein-9b', { references: [reference] }), signal);
    const { bytes, type } = await fileOf(standIn, 'input_image_0');
    expect(type).toBe('image/png');
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 512, height: 384 });
  });

  it('sends image to image in base64 with its strength, and a mask as numbers', async () => {
    const img2img = '@cf/runwayml/stable-diffusion-v1-5-img2img';
    await provider.generate(requestFor(img2img, { references: [reference], params: { strength: 0.4 } }), signal);
    const data = Buffer.from(reference.bytes).toString('base64');
    expect(standIn.last().json).toMatchObject({ image_b64: data, strength: 0.4 });
    const inpainting = '@cf/runwayml/stable-diffusion-v1-5-inpainting';
    await provider.generate(requestFor(inpainting, { references: [reference], mask }), signal);
    expect(standIn.last().json['mask']).toEqual([...mask.bytes]);
  });
});

describe('fal', () => {
  let standIn: StandIn;
  let provider: Fal;
  beforeAll(async () => {
    [standIn, provider] = await standing(openFal([1]), (url) => new Fal({ apiKey: 'id:secret', baseUrl: url }));
  });
  beforeEach(() => standIn.reset());

  it('is asked at the path of the model, told to keep nothing, and answers with addresses', async () => {
    const request = requestFor('fal-ai/flux/schnell', { seed: 3, params: { image_size: 'square_hd' } });
    const outputs = await provider.generate(request, signal);
    expect(standIn.last()).toMatchObject({ method: 'POST', path: '/fal-ai/flux/schnell' });
    expect(standIn.last().headers['authorization']).toBe('Key id:secret');
    expect(standIn.last().headers['x-fal-store-io']).toBe('0');
    expect(standIn.last().json).toEqual({
      prompt: PROMPT,
      num_images: 1,
      image_size: { width: 1024, height: 1024 },
      num_inference_steps: 4,
      enable_safety_checker: true,
      seed: 3,
    });
    const url = `${standIn.url}/files/1024x1024/0.png`;
    expect(outputs).toEqual([{ kind: 'url', url, width: 1024, height: 1024, seedUsed: 3 }]);
  });

  it('withholds the pictures that the filter flagged, and only those', async () => {
    const outputs = await provider.generate(requestFor('fal-ai/flux/schnell', { count: 3 }), signal);
    expect(outputs.map(({ kind }) => kind)).toEqual(['url', 'failure', 'url']);
    expect(outputs[1]).toMatchObject({ failure: { reason: 'refused', code: 'provider_error' } });
  });

  it('switches the filter off for those who may', async () => {
    const params = { enable_safety_checker: false };
    const request = requestFor('fal-ai/flux/schnell', { count: 2, params, safety: false });
    const outputs = await provider.generate(request, signal);
    expect(standIn.last().json['enable_safety_checker']).toBe(false);
    expect(outputs.map(({ kind }) => kind)).toEqual(['url', 'url']);
  });

  it('repaints one picture at the model’s image-to-image path', async () => {
    await provider.generate(
      requestFor('fal-ai/flux/dev', { references: [reference], params: { strength: 0.6 } }),
      signal,
    );
    expect(standIn.last().path).toBe('/fal-ai/flux/dev/image-to-image');
    const image_url = `data:image/jpeg;base64,${Buffer.from(reference.bytes).toString('base64')}`;
    expect(standIn.last().json).toMatchObject({ image_url, strength: 0.6 });
    expect(standIn.last().json).not.toHaveProperty('image_size');
  });

  it('asks several times where the model draws one picture a call', async () => {
    const request = requestFor('fal-ai/flux-2-pro', { count: 2, seed: 10, references: [reference] });
    const outputs = await provider.generate(request, signal);
    expect(standIn.requests.map(({ path }) => path)).toEqual(['/fal-ai/flux-2-pro/edit', '/fal-ai/flux-2-pro/edit']);
    expect(standIn.requests.map(({ json }) => json['seed']).sort()).toEqual([10, 11]);
    expect(standIn.last().json['image_urls']).toHaveLength(1);
    expect(standIn.last().json).not.toHaveProperty('num_images');
    expect(outputs).toHaveLength(2);
  });
});

describe('a server like OpenAI’s', () => {
  let standIn: StandIn;
  let provider: Compatible;
  beforeAll(async () => {
    [standIn, provider] = await standing(
      openOpenAi(),
      (url) => new Compatible({ baseUrl: `${url}/v1/`, apiKey: undefined }),
    );
  });
  beforeEach(() => standIn.reset());

  it('is asked by the model’s own name for base64, without credentials when there are none', async () => {
    const outputs = await provider.generate(requestFor('openai-compatible/flux-dev', { count: 4 }), signal);
    expect(standIn.last().path).toBe('/v1/images/generations');
    expect(standIn.last().headers['authorization']).toBeUndefined();
    expect(standIn.last().json).toEqual({
      model: 'flux-dev',
      prompt: PROMPT,
      n: 4,
      size: '1024x1024',
      response_format: 'b64_json',
    });
    expect(outputs.map(({ kind }) => kind)).toEqual(['bytes', 'bytes', 'bytes', 'bytes']);
  });

  it('gets one reference as image', async () => {
    await provider.generate(requestFor('openai-compatible/flux-dev', { references: [reference] }), signal);
    expect(standIn.last().path).toBe('/v1/images/edits');
    expect((await fileOf(standIn, 'image')).bytes.equals(reference.bytes)).toBe(true);
  });

  it('has its own addresses read from itself, wherever it stands', async () => {
    const [own, other] = await standing(
      openCompatibleWithUrls(),
      (url) => new Compatible({ baseUrl: `${url}/v1`, apiKey: 'token' }),
    );
    const outputs = await other.generate(requestFor('openai-compatible/flux-dev', { count: 2 }), signal);
    expect(outputs.map((output) => bytesOf(output).contentType)).toEqual(['image/png', 'image/png']);
    expect(own.last()).toMatchObject({ method: 'GET' });
    expect(own.last().headers['authorization']).toBe('Bearer token');
  });
});

describe('the built-in renderer', () => {
  const asked: RenderRequest[] = [];
  const provider = new Local(async (request) => {
    asked.push(request);
    const { width, height } = request;
    return { bytes: await png(width, height, '#ff0000'), width, height };
  });
  beforeEach(() => {
    asked.length = 0;
  });

  it('draws each picture of a call with the next seed and says which', async () => {
    const outputs = await provider.generate(requestFor('local/atelier', { count: 3, seed: 2_147_483_646 }));
    expect(asked.map(({ seed }) => seed)).toEqual([2_147_483_646, 2_147_483_647, 0]);
    expect(outputs.map((output) => bytesOf(output).seedUsed)).toEqual([2_147_483_646, 2_147_483_647, 0]);
    expect(asked[0]).toEqual({ prompt: PROMPT, seed: 2_147_483_646, width: 1024, height: 1024 });
  });

  it('takes a seed of its own when none is given', async () => {
    const [output] = await provider.generate(requestFor('local/sketch'));
    expect(bytesOf(output).seedUsed).toBe(asked[0]?.seed);
    expect(asked[0]).toMatchObject({ width: 512, height: 512 });
  });

  it('restyles a reference as far as strength says', async () => {
    await provider.generate(requestFor('local/atelier', { references: [reference], params: { strength: 0.2 } }));
    expect(asked[0]).toMatchObject({ strength: 0.2, reference: { bytes: reference.bytes } });
  });

  it('keeps the reference where the mask is black', async () => {
    const request = requestFor('local/atelier', { references: [reference], mask, params: { image_size: '800x600' } });
    const [output] = await provider.generate(request);
    const { data, info } = await sharp(bytesOf(output).bytes).raw().toBuffer({ resolveWithObject: true });
    const pixel = (x: number) => [
      ...data.subarray((300 * info.width + x) * info.channels, (300 * info.width + x) * info.channels + 3),
    ];
    expect(pixel(100)).toEqual([255, 0, 0]);
    const [red = 0, , blue = 0] = pixel(700);
    expect(red).toBeLessThan(80);
    expect(blue).toBeGreaterThan(140);
  });
});
