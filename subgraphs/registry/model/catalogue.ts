/**
 * The only place that knows models. Prices are the providers' published ones as of PRICES_AS_OF, in millionths of a
 * dollar; docs/providers.md says how to add a model and where the prices come from.
 */
import type { Capabilities, CatalogueModel, JobsTerms } from './entry.js';
import type { Parameter } from './parameters.js';
import { listed, type SizeRule, size } from './sizes.js';

export const PRICES_AS_OF = '2026-11-30';

const NOTHING: Capabilities = {
  txt2img: false,
  img2img: false,
  inpaint: false,
  negativePrompt: false,
  seedControl: false,
};

function can(...names: (keyof Capabilities)[]): Capabilities {
  return { ...NOTHING, ...Object.fromEntries(names.map((name) => [name, true])) };
}

function free(defaultWidth: number, defaultHeight: number, min: number, max: number, step = 8): SizeRule {
  return { kind: 'free', min, max, step, default: size(defaultWidth, defaultHeight) };
}

function strength(fallback: number): Parameter {
  return {
    kind: 'number',
    min: 0,
    max: 1,
    default: fallback,
    description: 'How far the picture may leave its reference: 0 keeps it, 1 paints over all of it.',
  };
}
const negativePrompt: Parameter = { kind: 'text', maxLength: 2000, description: 'What to keep out of the picture.' };

function steps(max: number, fallback: number): Parameter {
  return { kind: 'integer', min: 1, max, default: fallback, description: 'Diffusion steps: more take longer.' };
}

function guidance(min: number, max: number, fallback: number): Parameter {
  return { kind: 'number', min, max, default: fallback, description: 'How closely the prompt is followed.' };
}

// --- OpenAI ---

const GPT_SIZES = ['1024x1024', '1536x1024', '1024x1536'] as const;
/** gpt-image-2 draws any size; these are the ones that the price list names, or that cost no more than they do. */
const GPT_2_SIZES = [
  ...GPT_SIZES,
  '1152x896',
  '896x1152',
  '1344x768',
  '768x1344',
  '1280x1024',
  '1024x1280',
  '1536x672',
];

function gptPrices(low: readonly [number, number], medium: readonly [number, number], high: readonly [number, number]) {
  const bySize = ([square, oblong]: readonly [number, number]) =>
    Object.fromEntries(
      GPT_2_SIZES.map((slug) => [slug, slug === '1536x1024' || slug === '1024x1536' ? oblong : square]),
    );
  return { low: bySize(low), medium: bySize(medium), high: bySize(high) };
}

const gptParameters: Readonly<Record<string, Parameter>> = {
  quality: {
    kind: 'choice',
    values: ['low', 'medium', 'high'],
    default: 'medium',
    description: 'How much effort goes into the picture; the price follows it.',
  },
  background: {
    kind: 'choice',
    values: ['auto', 'opaque', 'transparent'],
    description: 'Whether the background is transparent.',
  },
  output_format: { kind: 'choice', values: ['png', 'jpeg', 'webp'], description: 'Format of the picture.' },
};

const gptBackgroundAlwaysThere: Readonly<Record<string, Parameter>> = {
  ...gptParameters,
  background: { kind: 'choice', values: ['auto', 'opaque'], description: 'Whether the background is opaque.' },
};

function gptTerms(frontier: 'unlocked' | 'milestone', latencyClass: JobsTerms['latencyClass']): JobsTerms {
  return {
    qualityTier: 'ultra',
    isTierDefault: false,
    field: 'openai_model',
    credits: 10,
    minCredits: 10,
    frontier,
    costTier: 'high',
    latencyClass,
  };
}

const openai: CatalogueModel[] = [
  {
    slug: 'gpt-image-1-mini',
    provider: 'openai',
    released: '2025-10-06',
    capabilities: can('txt2img', 'img2img', 'inpaint'),
    maxReferences: 16,
    sizes: listed(...GPT_SIZES),
    price: {
      kind: 'byQuality',
      micros: gptPrices([5_000, 6_000], [11_000, 15_000], [36_000, 52_000]),
      perReference: 2_000,
    },
    parameters: gptParameters,
    systemTier: 'image-draft',
    jobs: gptTerms('unlocked', 'medium'),
  },
  {
    slug: 'gpt-image-1',
    provider: 'openai',
    released: '2025-04-23',
    capabilities: can('txt2img', 'img2img', 'inpaint'),
    maxReferences: 16,
    sizes: listed(...GPT_SIZES),
    price: {
      kind: 'byQuality',
      micros: gptPrices([11_000, 16_000], [42_000, 63_000], [167_000, 250_000]),
      perReference: 6_000,
    },
    parameters: gptParameters,
    systemTier: null,
    jobs: gptTerms('unlocked', 'slow'),
    retiresAt: '2026-10-23',
    successors: ['gpt-image-1.5', 'gpt-image-2'],
  },
  {
    slug: 'gpt-image-1.5',
    provider: 'openai',
    released: '2025-12-16',
    capabilities: can('txt2img', 'img2img', 'inpaint'),
    maxReferences: 16,
    sizes: listed(...GPT_SIZES),
    price: {
      kind: 'byQuality',
      micros: gptPrices([9_000, 13_000], [34_000, 50_000], [133_000, 200_000]),
      perReference: 5_000,
    },
    parameters: gptParameters,
    systemTier: 'image-premium',
    jobs: gptTerms('milestone', 'slow'),
  },
  {
    slug: 'gpt-image-2',
    provider: 'openai',
    released: '2026-04-21',
    capabilities: can('txt2img', 'img2img', 'inpaint'),
    maxReferences: 16,
    sizes: listed(...GPT_2_SIZES),
    price: {
      kind: 'byQuality',
      micros: gptPrices([6_000, 5_000], [53_000, 41_000], [211_000, 165_000]),
      perReference: 12_000,
    },
    parameters: gptBackgroundAlwaysThere,
    systemTier: 'image-ultra',
    jobs: gptTerms('milestone', 'slow'),
  },
];

// --- Google ---

/** Width and height at 1K, as Google's table of aspect ratios gives them. */
const GEMINI_1K: Readonly<Record<string, readonly [number, number]>> = {
  '1:1': [1024, 1024],
  '3:2': [1264, 848],
  '2:3': [848, 1264],
  '4:3': [1200, 896],
  '3:4': [896, 1200],
  '16:9': [1376, 768],
  '9:16': [768, 1376],
  '21:9': [1584, 672],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
};

function geminiSizes(resolutions: Readonly<Record<string, number>>): SizeRule {
  return { kind: 'aspect', base: GEMINI_1K, resolutions, default: { aspect: '1:1', resolution: '1K' } };
}

function geminiTerms(qualityTier: 'ultra' | 'ultra_plus', credits: number): JobsTerms {
  return {
    qualityTier,
    isTierDefault: true,
    field: 'model',
    credits,
    minCredits: credits,
    frontier: 'milestone',
    costTier: 'high',
    latencyClass: qualityTier === 'ultra' ? 'medium' : 'slow',
  };
}

// Google switched the preview names off on 2026-06-25; /v2 documents them, so they stand for what replaced them.
const google: CatalogueModel[] = [
  {
    slug: 'gemini-3.1-flash-image-preview',
    wireName: 'gemini-3.1-flash-image',
    aliases: ['gemini-3.1-flash-image'],
    provider: 'google',
    released: '2026-05-28',
    capabilities: can('txt2img', 'img2img'),
    maxReferences: 14,
    sizes: geminiSizes({ '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }),
    price: {
      kind: 'bySize',
      micros: { '512': 45_000, '1K': 67_000, '2K': 101_000, '4K': 151_000 },
      perReference: 300,
    },
    parameters: {},
    systemTier: 'image-premium',
    jobs: geminiTerms('ultra', 10),
  },
  {
    slug: 'gemini-3-pro-image-preview',
    wireName: 'gemini-3-pro-image',
    aliases: ['gemini-3-pro-image'],
    provider: 'google',
    released: '2026-05-28',
    capabilities: can('txt2img', 'img2img'),
    maxReferences: 14,
    sizes: geminiSizes({ '1K': 1, '2K': 2, '4K': 4 }),
    price: { kind: 'bySize', micros: { '1K': 134_000, '2K': 134_000, '4K': 240_000 }, perReference: 1_200 },
    parameters: {},
    systemTier: 'image-ultra',
    jobs: geminiTerms('ultra_plus', 20),
  },
];

// --- Cloudflare Workers AI ---

/** The models in beta cost nothing at Cloudflare; a run of them still takes something, so that budgets bound it. */
const BETA_MICROS = 1_000;

function cfDefault(qualityTier: JobsTerms['qualityTier'], credits: number): JobsTerms {
  return {
    qualityTier,
    isTierDefault: true,
    field: 'cf_model',
    credits,
    minCredits: credits,
    frontier: null,
    costTier: qualityTier === 'premium' ? 'medium' : 'low',
    latencyClass: qualityTier === 'premium' ? 'slow' : 'fast',
  };
}

function cfSelectable(
  qualityTier: JobsTerms['qualityTier'],
  minCredits: number,
  latencyClass: JobsTerms['latencyClass'],
): JobsTerms {
  return {
    qualityTier,
    isTierDefault: false,
    field: 'cf_model',
    credits: null,
    minCredits,
    frontier: null,
    costTier: minCredits >= 5 ? 'medium' : 'low',
    latencyClass,
  };
}

const diffusion: Readonly<Record<string, Parameter>> = {
  negative_prompt: negativePrompt,
  num_steps: steps(20, 20),
  guidance: guidance(0, 30, 7.5),
};

const cloudflare: CatalogueModel[] = [
  {
    slug: '@cf/bytedance/stable-diffusion-xl-lightning',
    provider: 'cloudflare',
    released: '2024-02-27',
    capabilities: can('txt2img', 'negativePrompt', 'seedControl'),
    maxReferences: 0,
    sizes: free(1024, 1024, 256, 2048),
    price: { kind: 'flat', micros: BETA_MICROS },
    parameters: diffusion,
    systemTier: 'image-draft',
    jobs: cfDefault('draft', 1),
  },
  {
    slug: '@cf/black-forest-labs/flux-2-klein-4b',
    provider: 'cloudflare',
    released: '2026-01-15',
    capabilities: can('txt2img', 'seedControl'),
    maxReferences: 0,
    sizes: free(1024, 1024, 256, 1920, 16),
    price: { kind: 'perTile', tile: 287, steps: 4 },
    parameters: {},
    systemTier: 'image-standard',
    jobs: cfDefault('standard', 2),
  },
  {
    slug: '@cf/black-forest-labs/flux-2-dev',
    provider: 'cloudflare',
    released: '2025-11-25',
    capabilities: can('txt2img', 'seedControl'),
    maxReferences: 0,
    sizes: free(1024, 768, 256, 1920, 16),
    price: { kind: 'perTile', tileStep: 410, steps: 25 },
    parameters: { num_steps: steps(50, 25), guidance: guidance(1, 20, 3.5) },
    systemTier: 'image-premium',
    jobs: cfDefault('premium', 5),
  },
  {
    slug: '@cf/black-forest-labs/flux-2-klein-9b',
    provider: 'cloudflare',
    released: '2026-01-28',
    capabilities: can('txt2img', 'img2img', 'seedControl'),
    maxReferences: 4,
    sizes: free(1024, 1024, 256, 1920, 16),
    price: { kind: 'perMegapixel', first: 15_000, further: 2_000, perReference: 2_000 },
    parameters: {},
    systemTier: null,
    jobs: cfSelectable('standard', 2, 'fast'),
  },
  {
    slug: '@cf/black-forest-labs/flux-1-schnell',
    provider: 'cloudflare',
    released: '2024-08-29',
    capabilities: can('txt2img'),
    maxReferences: 0,
    sizes: listed('1024x1024'),
    price: { kind: 'perTile', tile: 52.8, step: 105.6, steps: 4 },
    parameters: { num_steps: steps(8, 4) },
    systemTier: null,
    jobs: cfSelectable('draft', 1, 'fast'),
  },
  {
    slug: '@cf/leonardo/lucid-origin',
    provider: 'cloudflare',
    released: '2025-08-25',
    capabilities: can('txt2img', 'seedControl'),
    maxReferences: 0,
    sizes: free(1120, 1120, 256, 2496),
    price: { kind: 'perTile', tile: 6_996, step: 132, steps: 25 },
    parameters: { num_steps: steps(40, 25), guidance: guidance(0, 10, 4.5) },
    systemTier: null,
    jobs: cfSelectable('premium', 5, 'medium'),
  },
  {
    slug: '@cf/leonardo/phoenix-1.0',
    provider: 'cloudflare',
    released: '2025-08-25',
    capabilities: can('txt2img', 'negativePrompt', 'seedControl'),
    maxReferences: 0,
    sizes: free(1024, 1024, 256, 2048),
    price: { kind: 'perTile', tile: 5_830, step: 110, steps: 25 },
    parameters: { negative_prompt: negativePrompt, num_steps: steps(50, 25), guidance: guidance(2, 10, 2) },
    systemTier: null,
    jobs: cfSelectable('premium', 5, 'medium'),
  },
  {
    slug: '@cf/runwayml/stable-diffusion-v1-5-img2img',
    provider: 'cloudflare',
    released: '2024-02-27',
    capabilities: can('img2img', 'negativePrompt', 'seedControl'),
    maxReferences: 1,
    sizes: free(512, 512, 256, 2048),
    price: { kind: 'flat', micros: BETA_MICROS },
    parameters: { ...diffusion, strength: strength(0.7) },
    systemTier: null,
    jobs: cfSelectable('draft', 1, 'fast'),
  },
  {
    slug: '@cf/runwayml/stable-diffusion-v1-5-inpainting',
    provider: 'cloudflare',
    released: '2024-02-27',
    capabilities: can('inpaint', 'negativePrompt', 'seedControl'),
    maxReferences: 1,
    sizes: free(512, 512, 256, 2048),
    price: { kind: 'flat', micros: BETA_MICROS },
    parameters: { ...diffusion, strength: strength(0.7) },
    systemTier: null,
    jobs: cfSelectable('draft', 1, 'fast'),
  },
  {
    slug: '@cf/stabilityai/stable-diffusion-xl-base-1.0',
    provider: 'cloudflare',
    released: '2023-11-10',
    capabilities: can('txt2img', 'negativePrompt', 'seedControl'),
    maxReferences: 0,
    sizes: free(1024, 1024, 256, 2048),
    price: { kind: 'flat', micros: BETA_MICROS },
    parameters: diffusion,
    systemTier: null,
    jobs: cfSelectable('standard', 1, 'medium'),
  },
  {
    slug: '@cf/lykon/dreamshaper-8-lcm',
    provider: 'cloudflare',
    released: '2024-02-27',
    capabilities: can('txt2img', 'negativePrompt', 'seedControl'),
    maxReferences: 0,
    sizes: free(512, 512, 256, 2048),
    price: { kind: 'flat', micros: BETA_MICROS },
    parameters: diffusion,
    systemTier: null,
    jobs: cfSelectable('draft', 1, 'fast'),
  },
];

// --- fal ---

const FAL_SIZES = free(1024, 1024, 512, 2048, 16);
const falFormat: Parameter = { kind: 'choice', values: ['jpeg', 'png'], description: 'Format of the picture.' };

const fal: CatalogueModel[] = [
  {
    slug: 'fal-ai/flux/schnell',
    provider: 'fal',
    released: '2024-08-01',
    capabilities: can('txt2img', 'seedControl'),
    maxReferences: 0,
    sizes: FAL_SIZES,
    price: { kind: 'perMegapixel', first: 3_000, further: 3_000 },
    parameters: { num_inference_steps: steps(12, 4), output_format: falFormat },
    systemTier: 'image-draft',
    jobs: null,
  },
  {
    slug: 'fal-ai/flux/dev',
    editName: 'fal-ai/flux/dev/image-to-image',
    provider: 'fal',
    released: '2024-08-01',
    capabilities: can('txt2img', 'img2img', 'seedControl'),
    maxReferences: 1,
    sizes: FAL_SIZES,
    price: { kind: 'perMegapixel', first: 25_000, further: 25_000, perReference: 5_000 },
    parameters: {
      num_inference_steps: steps(50, 28),
      guidance_scale: guidance(1, 20, 3.5),
      strength: strength(0.85),
      output_format: falFormat,
    },
    systemTier: null,
    jobs: null,
  },
  {
    slug: 'fal-ai/flux-2',
    editName: 'fal-ai/flux-2/edit',
    provider: 'fal',
    released: '2025-11-25',
    capabilities: can('txt2img', 'img2img', 'seedControl'),
    maxReferences: 4,
    sizes: FAL_SIZES,
    price: { kind: 'perMegapixel', first: 12_000, further: 12_000, perReference: 12_000 },
    parameters: {
      num_inference_steps: steps(50, 28),
      guidance_scale: guidance(0, 20, 2.5),
      output_format: falFormat,
    },
    systemTier: 'image-standard',
    jobs: null,
  },
  {
    slug: 'fal-ai/flux-2-pro',
    editName: 'fal-ai/flux-2-pro/edit',
    oneByOne: true,
    provider: 'fal',
    released: '2025-11-25',
    capabilities: can('txt2img', 'img2img', 'seedControl'),
    maxReferences: 8,
    sizes: FAL_SIZES,
    price: { kind: 'perMegapixel', first: 30_000, further: 15_000, perReference: 15_000 },
    parameters: { output_format: falFormat },
    systemTier: 'image-premium',
    jobs: null,
  },
  {
    slug: 'fal-ai/flux-2-max',
    editName: 'fal-ai/flux-2-max/edit',
    oneByOne: true,
    provider: 'fal',
    released: '2025-12-16',
    capabilities: can('txt2img', 'img2img', 'seedControl'),
    maxReferences: 8,
    sizes: FAL_SIZES,
    price: { kind: 'perMegapixel', first: 70_000, further: 30_000, perReference: 30_000 },
    parameters: { output_format: falFormat },
    systemTier: 'image-ultra',
    jobs: null,
  },
];

// --- the built-in renderer: one program at three sizes, which is what its prices follow ---

function localTerms(qualityTier: 'draft' | 'standard' | 'premium', credits: number): JobsTerms {
  return {
    qualityTier,
    isTierDefault: true,
    field: null,
    credits,
    minCredits: credits,
    frontier: null,
    costTier: 'low',
    latencyClass: 'fast',
  };
}

const localCan = can('txt2img', 'img2img', 'inpaint', 'seedControl');

const local: CatalogueModel[] = [
  {
    slug: 'local/sketch',
    provider: 'local',
    released: '2026-11-30',
    capabilities: localCan,
    maxReferences: 1,
    sizes: free(512, 512, 64, 1024, 1),
    price: { kind: 'flat', micros: 5_000 },
    parameters: { strength: strength(0.85) },
    systemTier: 'image-draft',
    jobs: localTerms('draft', 1),
  },
  {
    slug: 'local/atelier',
    provider: 'local',
    released: '2026-11-30',
    capabilities: localCan,
    maxReferences: 1,
    sizes: free(1024, 1024, 64, 2048, 1),
    price: { kind: 'flat', micros: 10_000 },
    parameters: { strength: strength(0.85) },
    systemTier: 'image-standard',
    jobs: localTerms('standard', 2),
  },
  {
    slug: 'local/gallery',
    provider: 'local',
    released: '2026-11-30',
    capabilities: localCan,
    maxReferences: 1,
    sizes: free(1536, 1536, 64, 2048, 1),
    price: { kind: 'flat', micros: 20_000 },
    parameters: { strength: strength(0.85) },
    systemTier: 'image-premium',
    jobs: localTerms('premium', 5),
  },
];

export const CATALOGUE: readonly CatalogueModel[] = [...local, ...openai, ...google, ...cloudflare, ...fal];

/** A model of the operator's own server, at the operator's price. */
export function compatibleModel(name: string, micros: number): CatalogueModel {
  return {
    slug: `openai-compatible/${name}`,
    wireName: name,
    provider: 'openai-compatible',
    released: '2026-11-30',
    capabilities: can('txt2img', 'img2img', 'inpaint'),
    maxReferences: 4,
    sizes: free(1024, 1024, 256, 2048, 8),
    price: { kind: 'flat', micros },
    parameters: {
      quality: {
        kind: 'choice',
        values: ['auto', 'low', 'medium', 'high', 'standard', 'hd'],
        description: 'Passed on to the server as it is.',
      },
      background: { kind: 'choice', values: ['auto', 'opaque', 'transparent'], description: 'Passed on as it is.' },
      output_format: { kind: 'choice', values: ['png', 'jpeg', 'webp'], description: 'Passed on as it is.' },
    },
    systemTier: null,
    jobs: null,
  };
}
