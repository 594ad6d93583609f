/** What is made of a prompt: pure, so that the same request always becomes the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnhancementRequest, enhance } from '../../subgraphs/registry/enhance/enhance.js';
import { STYLES, styleOf } from '../../subgraphs/registry/enhance/style.js';
import { QUALITY_TIERS } from '../../subgraphs/registry/job/job.rules.js';
import { CATALOGUE } from '../../subgraphs/registry/model/catalogue.js';

function model(slug: string) {
  const found = CATALOGUE.find((entry) => entry.slug === slug);
  if (!found) throw new Error(slug);
  return found;
}

const FLUX = model('@cf/black-forest-labs/flux-2-klein-4b');
const LIGHTNING = model('@cf/bytedance/stable-diffusion-xl-lightning');
const GEMINI = model('gemini-3.1-flash-image-preview');

function of(prompt: string, rest: Partial<EnhancementRequest> = {}) {
  return enhance({ prompt, negativePrompt: null, qualityTier: 'standard', model: FLUX, withSource: false, ...rest });
}

const step = (enhanced: ReturnType<typeof enhance>, name: string) => enhanced.steps.find((each) => each.step === name);

describe('the enhanced prompt', () => {
  it('begins with the caller’s own words, tidied', () => {
    const { finalPrompt } = of('  A  mountain\n landscape , ');
    expect(finalPrompt).toBe(
      'A mountain landscape, depth from foreground to horizon, coherent light, balanced composition, clear detail',
    );
  });

  it('says of a style what brings it out', () => {
    expect(of('Isometric pixel art of a cloud server room').finalPrompt).toContain('precise geometric forms');
    expect(step(of('Isometric pixel art of a cloud server room'), 'style')).toEqual({
      step: 'style',
      action: 'added',
      detail: 'pixel-art: precise geometric forms, limited palette, crisp edges',
    });
  });

  it('repeats nothing that the prompt says already', () => {
    const said = 'A logo with CLEAN SHAPES, even colour fields, strong silhouette, balanced composition, clear detail';
    expect(of(said).finalPrompt).toBe(said);
  });

  it.each([
    ['draft', []],
    ['standard', ['balanced composition', 'clear detail']],
    ['premium', ['balanced composition', 'fine detail', 'considered lighting']],
    ['ultra', ['balanced composition', 'fine detail', 'considered lighting']],
    ['ultra_plus', ['deliberate composition', 'exquisite detail', 'considered lighting', 'subtle colour grading']],
  ] as const)('has the cues of its tier: %s', (qualityTier, cues) => {
    const { finalPrompt } = of('a spoon', { qualityTier });
    expect(finalPrompt).toBe(['a spoon', ...cues].join(', '));
  });

  it('is a sentence for models that follow instructions, and tags for those that were taught on captions', () => {
    expect(of('a spoon', { model: GEMINI }).finalPrompt).toBe(
      'a spoon. Aim for balanced composition and clear detail.',
    );
    expect(of('Draw a spoon!', { model: GEMINI }).finalPrompt).toMatch(/^Draw a spoon! Aim for /);
  });

  it('leaves it to the source picture, where there is one, what to show', () => {
    const enhanced = of('make it a mountain landscape', { withSource: true });
    expect(enhanced.finalPrompt).toBe('make it a mountain landscape');
    expect(step(enhanced, 'style')?.action).toBe('left_out');
  });

  it('leaves no more to a long prompt than there is room for', () => {
    const long = 'x'.repeat(2_000);
    expect(of(long).finalPrompt.startsWith(long)).toBe(true);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2_000 }), (prompt) => {
        expect(of(prompt).finalPrompt.length).toBeLessThanOrEqual(Math.max(2_400, prompt.normalize('NFC').length));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a negative prompt', () => {
  it('goes to a model that takes one', () => {
    const enhanced = of('a spoon', { negativePrompt: ' forks ', model: LIGHTNING });
    expect(enhanced.negativePrompt).toBe('forks');
    expect(step(enhanced, 'negative_prompt')?.action).toBe('passed_on');
  });

  it('is left out, and that is said, where the model takes none', () => {
    const enhanced = of('a spoon', { negativePrompt: 'forks' });
    expect(enhanced.negativePrompt).toBeNull();
    expect(enhanced.finalPrompt).not.toContain('forks');
    expect(step(enhanced, 'negative_prompt')).toEqual({
      step: 'negative_prompt',
      action: 'left_out',
      detail: `${FLUX.slug} takes no negative prompt`,
    });
  });
});

it('each style is found by its own words, and the same request always becomes the same', () => {
  const examples: Record<string, string> = {
    'pixel-art': 'pixel art of a fox',
    'line-art': 'an ink sketch of a fox',
    painting: 'a watercolour of a fox',
    'flat-design': 'a logo with a fox',
    render: 'a 3D fox',
    product: 'a product photo of a fox figurine',
    portrait: 'portrait of a fox',
    scenery: 'a fox in a forest',
    photograph: 'a photo of a fox',
  };
  for (const { name } of STYLES) expect(styleOf(examples[name] ?? '')?.name).toBe(name);
  expect(styleOf('a fox')).toBeNull();
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''),
      fc.constantFrom(...QUALITY_TIERS),
      (prompt, qualityTier) => {
        expect(of(prompt, { qualityTier })).toEqual(of(prompt, { qualityTier }));
        expect(of(prompt, { qualityTier }).finalPrompt).not.toBe('');
      },
    ),
    { numRuns: 200 },
  );
});
