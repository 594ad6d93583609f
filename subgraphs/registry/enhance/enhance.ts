/**
 * What is made of a prompt before a model gets it. Pure: the same request always becomes the same, and every step says
 * what it did, or why it did nothing.
 */
import type { CatalogueModel, QualityTier } from '../model/entry.js';
import { styleOf } from './style.js';

export interface EnhancementRequest {
  prompt: string;
  negativePrompt: string | null;
  qualityTier: QualityTier;
  model: Pick<CatalogueModel, 'slug' | 'provider' | 'capabilities'>;
  /** Whether a picture is gone by: what it shows is not to be talked over. */
  withSource: boolean;
}

export interface EnhancementStep {
  step: string;
  action: 'kept' | 'changed' | 'added' | 'passed_on' | 'left_out';
  detail: string;
}

export interface Enhanced {
  finalPrompt: string;
  /** For the model; null when there is none, or it takes none. */
  negativePrompt: string | null;
  steps: EnhancementStep[];
}

/** Longer prompts are cut by most models, from the end, where the caller's own words may stand. */
const MAX_LENGTH = 2_400;

const QUALITY_CUES: Readonly<Record<QualityTier, readonly string[]>> = {
  // Few steps: every further word takes weight from the caller's.
  draft: [],
  standard: ['balanced composition', 'clear detail'],
  premium: ['balanced composition', 'fine detail', 'considered lighting'],
  ultra: ['balanced composition', 'fine detail', 'considered lighting'],
  ultra_plus: ['deliberate composition', 'exquisite detail', 'considered lighting', 'subtle colour grading'],
};

export function enhance(request: EnhancementRequest): Enhanced {
  const steps: EnhancementStep[] = [];
  const tidy = tidied(request.prompt, steps);
  const cues = [...styleCues(request, tidy, steps), ...qualityCues(request, tidy, steps)];
  const finalPrompt = joined(request, tidy, cues, steps);
  return { finalPrompt, negativePrompt: negative(request, steps), steps };
}

function tidied(prompt: string, steps: EnhancementStep[]): string {
  const tidy = prompt
    .normalize('NFC')
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .replace(/[,;\s]+$/u, '');
  steps.push(
    tidy === prompt
      ? { step: 'tidy', action: 'kept', detail: 'the prompt needed no tidying' }
      : { step: 'tidy', action: 'changed', detail: 'white space and loose punctuation at the end' },
  );
  // A prompt of punctuation alone stays what it is.
  return tidy === '' ? prompt.trim() : tidy;
}

function styleCues({ withSource }: EnhancementRequest, prompt: string, steps: EnhancementStep[]): readonly string[] {
  if (withSource) {
    steps.push({ step: 'style', action: 'left_out', detail: 'the source picture decides' });
    return [];
  }
  const style = styleOf(prompt);
  const cues = style ? missingIn(prompt, style.cues) : [];
  steps.push(
    style && cues.length > 0
      ? { step: 'style', action: 'added', detail: `${style.name}: ${cues.join(', ')}` }
      : { step: 'style', action: 'left_out', detail: style ? `${style.name}: said already` : 'no style is named' },
  );
  return cues;
}

function qualityCues(
  { qualityTier, withSource }: EnhancementRequest,
  prompt: string,
  steps: EnhancementStep[],
): readonly string[] {
  const cues = withSource ? [] : missingIn(prompt, QUALITY_CUES[qualityTier]);
  steps.push(
    cues.length > 0
      ? { step: 'quality', action: 'added', detail: `${qualityTier}: ${cues.join(', ')}` }
      : { step: 'quality', action: 'left_out', detail: withSource ? 'the source picture decides' : qualityTier },
  );
  return cues;
}

function missingIn(prompt: string, cues: readonly string[]): string[] {
  const said = prompt.toLowerCase();
  return cues.filter((cue) => !said.includes(cue));
}

/** Models that were taught on captions take a list of tags; those that follow instructions take a sentence. */
function joined(
  { model }: EnhancementRequest,
  prompt: string,
  cues: readonly string[],
  steps: EnhancementStep[],
): string {
  const sentences = model.provider === 'openai' || model.provider === 'google';
  const form = sentences ? 'sentence' : 'tags';
  const kept = fitting(prompt, cues);
  steps.push({
    step: 'form',
    action: kept.length === 0 ? 'kept' : 'changed',
    detail:
      kept.length < cues.length
        ? `${form} for ${model.slug}; the prompt leaves no room for all`
        : `${form} for ${model.slug}`,
  });
  if (kept.length === 0) return prompt;
  if (!sentences) return `${prompt}, ${kept.join(', ')}`;
  const stop = /[.!?]$/u.test(prompt) ? '' : '.';
  return `${prompt}${stop} Aim for ${listed(kept)}.`;
}

function fitting(prompt: string, cues: readonly string[]): string[] {
  let room = MAX_LENGTH - prompt.length;
  return cues.filter((cue) => {
    room -= cue.length + 2;
    return room >= 0;
  });
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function negative({ negativePrompt, model }: EnhancementRequest, steps: EnhancementStep[]): string | null {
  const given = negativePrompt?.trim() ?? '';
  if (given === '') return null;
  if (model.capabilities.negativePrompt) {
    steps.push({ step: 'negative_prompt', action: 'passed_on', detail: `${model.slug} takes it` });
    return given;
  }
  steps.push({ step: 'negative_prompt', action: 'left_out', detail: `${model.slug} takes no negative prompt` });
  return null;
}
