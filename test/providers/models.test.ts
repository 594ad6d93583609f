/** The catalogue: every model can be priced at every size it draws, and what params say is checked before anything is asked. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../platform/config.js';
import { Problem } from '../../platform/errors.js';
import { CATALOGUE } from '../../subgraphs/registry/model/catalogue.js';
import { contractsOf, type ProviderName, SYSTEM_TIERS } from '../../subgraphs/registry/model/entry.js';
import { Models } from '../../subgraphs/registry/model/models.js';
import { readParams } from '../../subgraphs/registry/model/parameters.js';
import { basePrice, priceOf, pricesOf } from '../../subgraphs/registry/model/price.js';
import { ASPECT_RATIOS, NAMED_SIZES, sizesOf } from '../../subgraphs/registry/model/sizes.js';
import { configuredProviders, outputHosts } from '../../subgraphs/registry/provider/settings.js';
import { EVERYTHING } from './support.js';

function modelsWith(providers: Iterable<ProviderName>, day = '2026-10-01'): Models {
  return new Models({ configured: new Set(providers), compatible: null, now: () => new Date(`${day}T12:00:00Z`) });
}

const models = modelsWith(EVERYTHING);

function refusal(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.each(CATALOGUE.map((model) => [model.slug, model] as const))('%s', (_slug, model) => {
  it('has a price at every size and quality that it lists', () => {
    const qualities = model.price.kind === 'byQuality' ? 3 : 1;
    const prices = pricesOf(model);
    expect(prices).toHaveLength(sizesOf(model.sizes).length * qualities);
    for (const { micros } of prices) {
      expect(Number.isSafeInteger(micros)).toBe(true);
      expect(micros).toBeGreaterThan(0);
      expect(micros).toBeLessThanOrEqual(1_000_000);
    }
    expect(basePrice(model)).toBeGreaterThan(0);
  });

  it('takes every named size and every aspect ratio, in about that shape', () => {
    const shapes: [object, number][] = [
      ...ASPECT_RATIOS.map((aspect_ratio): [object, number] => {
        const [across = 1, down = 1] = aspect_ratio.split(':').map(Number);
        return [{ aspect_ratio }, across / down];
      }),
      ...Object.entries(NAMED_SIZES).map(([name, [w, h]]): [object, number] => [{ image_size: name }, w / h]),
    ];
    const single = sizesOf(model.sizes).length === 1;
    for (const [params, ratio] of shapes) {
      const { size } = readParams(model, params);
      expect(priceOf(model, { size, params: {}, references: 0 })).toBeGreaterThan(0);
      if (single) continue;
      const wider = Math.sign(Math.round(Math.log(ratio) * 100));
      expect(Math.sign(Math.round(Math.log(size.width / size.height) * 100)), JSON.stringify(params)).toBe(wider);
    }
  });

  it('has defaults that it takes itself', () => {
    const { params, size } = readParams(model, {});
    expect(readParams(model, { ...params, image_size: size.resolution ?? size.slug })).toEqual({ params, size });
  });

  it('says truly what it can be given', () => {
    const { img2img, inpaint } = model.capabilities;
    expect(model.maxReferences > 0).toBe(img2img || inpaint);
    expect(model.parameters['negative_prompt'] !== undefined).toBe(model.capabilities.negativePrompt);
    expect(model.retiresAt === undefined).toBe(model.successors === undefined);
    for (const successor of model.successors ?? []) expect(models.find(successor)).not.toBeNull();
  });
});

describe('params', () => {
  const atelier = models.require('local/atelier');

  it('name every bad member at once', () => {
    const params = { strength: 2, steps: 3, image_size: '9000x1', enable_safety_checker: 'no' };
    const { options, slug } = refusal(() => readParams(atelier, params, 'default_params'));
    expect(slug).toBe('validation_error');
    expect(options.details?.map(({ field }) => field)).toEqual([
      'default_params.strength',
      'default_params.steps',
      'default_params.enable_safety_checker',
      'default_params.image_size',
    ]);
    expect(options.details?.[1]?.message).toMatch(/is not known to local\/atelier; it takes image_size, aspect_ratio/);
  });

  it.each([
    ['no object', 'x'],
    ['nothing', null],
    ['a list', []],
    ['too many members', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`p${i}`, i]))],
    ['a member of every object', JSON.parse('{"__proto__": 1, "constructor": 2}')],
    ['a number as text', { strength: '0.5' }],
    ['a number that is none', { strength: Number.NaN }],
    ['a size with more to it', { image_size: { width: 512, height: 512, depth: 1 } }],
    ['half a size', { image_size: { width: 512 } }],
    ['a broken size', { image_size: { width: 512.5, height: 512 } }],
    ['an aspect ratio that is none', { aspect_ratio: '1:2' }],
    ['two ways to say the size', { aspect_ratio: '1:1', image_size: '512x512' }],
  ])('refuse %s', (_what, params) => {
    expect(refusal(() => readParams(atelier, params)).slug).toBe('validation_error');
  });

  it.each([
    [{ image_size: '640x360' }, '640x360'],
    [{ image_size: { width: 2048, height: 64 } }, '2048x64'],
    [{ image_size: 'portrait_16_9' }, '576x1024'],
    [{ aspect_ratio: '16:9' }, '1365x768'],
    [{}, '1024x1024'],
  ])('choose a size: %j is %s', (params, slug) => {
    expect(readParams(atelier, params).size.slug).toBe(slug);
  });

  it('choose among the sizes of a closed list, by its own slugs or by shape', () => {
    const gpt = models.require('gpt-image-1.5');
    expect(readParams(gpt, { image_size: '1024x1536' }).size.slug).toBe('1024x1536');
    expect(readParams(gpt, { image_size: 'landscape_16_9' }).size.slug).toBe('1536x1024');
    expect(refusal(() => readParams(gpt, { image_size: '512x512' })).message).toMatch(/one of 1024x1024, 1536x1024/);
  });

  it('choose resolution and shape where a model is asked by both', () => {
    const gemini = models.require('gemini-3.1-flash-image-preview');
    expect(readParams(gemini, { image_size: '2K', aspect_ratio: '3:2' }).size).toMatchObject({
      slug: '2528x1696',
      resolution: '2K',
      aspect: '3:2',
    });
    expect(readParams(gemini, { image_size: '512' }).size.slug).toBe('512x512');
    expect(refusal(() => readParams(models.require('gemini-3-pro-image-preview'), { image_size: '512' }))).toBeTruthy();
  });
});

describe('a price', () => {
  const micros = (slug: string, params: object = {}, references = 0) => {
    const model = models.require(slug);
    return priceOf(model, { ...readParams(model, params), references });
  };

  it.each([
    ['local/atelier', {}, 0, 10_000],
    ['gpt-image-1.5', {}, 0, 34_000],
    ['gpt-image-1.5', { quality: 'high', image_size: '1536x1024' }, 0, 200_000],
    ['gpt-image-2', { quality: 'low' }, 2, 6_000 + 2 * 12_000],
    ['gemini-3.1-flash-image-preview', { image_size: '4K', aspect_ratio: '16:9' }, 0, 151_000],
    ['@cf/black-forest-labs/flux-2-klein-4b', {}, 0, 4 * 287],
    ['@cf/black-forest-labs/flux-2-dev', { num_steps: 10 }, 0, 4 * 10 * 410],
    ['@cf/black-forest-labs/flux-1-schnell', {}, 0, Math.ceil(4 * 52.8 + 4 * 105.6)],
    ['@cf/leonardo/lucid-origin', { image_size: '1024x1024' }, 0, 4 * 6_996 + 25 * 132],
    ['fal-ai/flux-2-pro', { image_size: '2048x1024' }, 1, 30_000 + 15_000 + 15_000],
  ])('of %s with %j and %i references is %i micro-dollars', (slug, params, references, expected) => {
    expect(micros(slug, params, references)).toBe(expected);
  });
});

describe('a model by name', () => {
  it('is found with its provider before it, and Gemini’s by its current name too', () => {
    const names = ['openai/gpt-image-2', 'google/gemini-3-pro-image', 'gemini-3-pro-image', 'local/local/atelier'];
    const slugs = names.map((name) => models.find(name)?.slug);
    expect(slugs).toEqual(['gpt-image-2', 'gemini-3-pro-image-preview', 'gemini-3-pro-image-preview', 'local/atelier']);
  });

  it.each(['no/such-model', '', '__proto__', 'openai-compatible/anything'])(
    'that has no price, %j, is a 400',
    (name) => {
      expect(refusal(() => models.require(name)).toBody()).toMatchObject({
        error: 'validation_error',
        details: [{ field: 'model', message: 'no price is known for this model' }],
        hint: expect.stringContaining('/v1/models'),
      });
    },
  );

  it('is refused with its successors from the day its provider retires it', () => {
    expect(modelsWith(EVERYTHING, '2026-10-22').require('gpt-image-1').slug).toBe('gpt-image-1');
    const late = modelsWith(EVERYTHING, '2026-10-23');
    expect(refusal(() => late.require('gpt-image-1')).toBody()).toMatchObject({
      message: 'model: gpt-image-1 was retired by its provider on 2026-10-23',
      hint: 'Use gpt-image-1.5 or gpt-image-2 instead.',
    });
    expect(late.isAvailable(late.all().find(({ slug }) => slug === 'gpt-image-1') ?? CATALOGUE[0] ?? never())).toBe(
      false,
    );
  });
});

describe('a server like OpenAI’s', () => {
  const withModels = (named: [string, number][], otherMicros: number | null) =>
    new Models({
      configured: new Set(['openai-compatible']),
      compatible: { models: new Map(named), otherMicros },
      now: () => new Date(),
    });

  it('has the models that are named, at their prices, and no others', () => {
    const server = withModels([['flux-dev', 20_000]], null);
    expect(basePrice(server.require('openai-compatible/flux-dev'))).toBe(20_000);
    expect(server.all().some(({ slug }) => slug === 'openai-compatible/flux-dev')).toBe(true);
    expect(refusal(() => server.require('openai-compatible/sdxl')).slug).toBe('validation_error');
  });

  it('has any model at one price when none is named', () => {
    const server = withModels([], 10_000);
    const model = server.require('openai-compatible/org/sdxl:turbo');
    expect(model).toMatchObject({ wireName: 'org/sdxl:turbo', provider: 'openai-compatible' });
    expect(basePrice(model)).toBe(10_000);
    expect(refusal(() => server.require('openai-compatible/../../x y'))).toBeTruthy();
  });

  it('serves the tiers when there is nothing else', () => {
    expect(withModels([['flux-dev', 20_000]], null).tier('image-ultra')?.slug).toBe('openai-compatible/flux-dev');
  });
});

describe('a system tier', () => {
  const serving = (...providers: ProviderName[]) => {
    const some = modelsWith(providers, '2026-11-30');
    return SYSTEM_TIERS.map((tier) => some.tier(tier)?.slug ?? null);
  };

  it.each<[ProviderName[], (string | null)[]]>([
    [[], [null, null, null, null]],
    [['local'], ['local/sketch', 'local/atelier', 'local/gallery', 'local/gallery']],
    [['openai'], ['gpt-image-1-mini', 'gpt-image-1-mini', 'gpt-image-1.5', 'gpt-image-2']],
    [
      ['google'],
      [
        'gemini-3.1-flash-image-preview',
        'gemini-3.1-flash-image-preview',
        'gemini-3.1-flash-image-preview',
        'gemini-3-pro-image-preview',
      ],
    ],
    [['fal'], ['fal-ai/flux/schnell', 'fal-ai/flux-2', 'fal-ai/flux-2-pro', 'fal-ai/flux-2-max']],
    [
      ['cloudflare'],
      [
        '@cf/bytedance/stable-diffusion-xl-lightning',
        '@cf/black-forest-labs/flux-2-klein-4b',
        '@cf/black-forest-labs/flux-2-dev',
        '@cf/black-forest-labs/flux-2-dev',
      ],
    ],
  ])('with %j set up is the newest that can run, or the nearest tier’s', (providers, slugs) => {
    expect(serving(...providers)).toEqual(slugs);
  });

  it('prefers the newer of two providers, and a real one to the built-in renderer', () => {
    expect(serving('openai', 'cloudflare', 'fal', 'local')).toEqual([
      'gpt-image-1-mini',
      '@cf/black-forest-labs/flux-2-klein-4b',
      'gpt-image-1.5',
      'gpt-image-2',
    ]);
  });

  it('is never served by what was retired', () => {
    for (const { systemTier, retiresAt } of CATALOGUE) if (systemTier) expect(retiresAt).toBeUndefined();
  });
});

describe('the settings', () => {
  const providers = (environment: Record<string, string>) =>
    configuredProviders(parseConfig(environment)).map(({ name }) => name);

  it('turn on the providers that have a key, and the built-in renderer when none has or when told so', () => {
    expect(providers({})).toEqual(['local']);
    expect(providers({ LOCAL_PROVIDER: 'off' })).toEqual([]);
    expect(providers({ OPENAI_API_KEY: 'k', FAL_KEY: 'k' })).toEqual(['openai', 'fal']);
    expect(providers({ GEMINI_API_KEY: 'k', LOCAL_PROVIDER: 'on' })).toEqual(['google', 'local']);
    expect(providers({ CLOUDFLARE_ACCOUNT_ID: 'a', CLOUDFLARE_API_TOKEN: 't' })).toEqual(['cloudflare']);
    expect(providers({ OPENAI_IMAGE_BASE_URL: 'http://gpu:8080/v1' })).toEqual(['openai-compatible', 'local']);
  });

  it('let outputs be fetched from where the list says and where providers are asked', () => {
    const hosts = (environment: Record<string, string>) => outputHosts(parseConfig(environment));
    expect(hosts({})).toContain('*.fal.media');
    const environment = { MEDIA_FETCH_ALLOWLIST: 'cdn.example.com', FAL_BASE_URL: 'http://127.0.0.1:9000' };
    expect(hosts(environment)).toEqual(['cdn.example.com', '127.0.0.1']);
  });
});

describe('what the jobs of /v2 need', () => {
  const terms = new Map(CATALOGUE.flatMap(({ slug, jobs }) => (jobs ? [[slug, jobs] as const] : [])));

  it('one default for each quality tier and provider, with the documented credits', () => {
    const defaults = [...terms].filter(([, { isTierDefault }]) => isTierDefault);
    expect(defaults.map(([slug, { qualityTier, credits }]) => `${qualityTier} ${credits} ${slug}`).sort()).toEqual([
      'draft 1 @cf/bytedance/stable-diffusion-xl-lightning',
      'draft 1 local/sketch',
      'premium 5 @cf/black-forest-labs/flux-2-dev',
      'premium 5 local/gallery',
      'standard 2 @cf/black-forest-labs/flux-2-klein-4b',
      'standard 2 local/atelier',
      'ultra 10 gemini-3.1-flash-image-preview',
      'ultra_plus 20 gemini-3-pro-image-preview',
    ]);
  });

  it('OpenAI’s at ten credits, half of them behind the milestone', () => {
    const openai = [...terms].filter(([, { field }]) => field === 'openai_model');
    expect(openai.map(([slug, { credits, frontier }]) => `${slug} ${credits} ${frontier}`).sort()).toEqual([
      'gpt-image-1 10 unlocked',
      'gpt-image-1-mini 10 unlocked',
      'gpt-image-1.5 10 milestone',
      'gpt-image-2 10 milestone',
    ]);
  });

  it('Cloudflare’s selectable ones at the caller’s tier, with a floor', () => {
    const selectable = [...terms].filter(([, { field, isTierDefault }]) => field === 'cf_model' && !isTierDefault);
    expect(selectable).toHaveLength(8);
    for (const [, { credits, minCredits }] of selectable) {
      expect(credits).toBeNull();
      expect(minCredits).toBeGreaterThan(0);
    }
  });

  it('local models that do everything on draft, standard and premium', () => {
    for (const slug of ['local/sketch', 'local/atelier', 'local/gallery']) {
      const model = models.require(slug);
      expect(model.capabilities).toMatchObject({ txt2img: true, img2img: true, inpaint: true, seedControl: true });
      expect(contractsOf(model)).toEqual(['text_to_image', 'image_to_image']);
    }
  });
});

function never(): never {
  throw new Error('unreachable');
}
