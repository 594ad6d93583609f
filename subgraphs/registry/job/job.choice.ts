/** Which model a request means, what it costs, what forbids it, and whether the model takes what the request says. */
import { type FieldIssue, Problem } from '../../../platform/errors.js';
import { invalidFields } from '../../../platform/rules.js';
import type { Allowance } from '../../billing/client.js';
import type { CatalogueModel, JobsTerms, QualityTier } from '../model/entry.js';
import type { Models } from '../model/models.js';
import { type ReadParams, readParams } from '../model/parameters.js';
import { resolveSize } from '../model/sizes.js';
import type { JobRequest } from './job.rules.js';

export const TIER_CREDITS: Readonly<Record<QualityTier, number>> = {
  draft: 1,
  standard: 2,
  premium: 5,
  ultra: 10,
  ultra_plus: 20,
};

const DEFAULT_TIER: QualityTier = 'standard';
/** Tiers whose pictures come soon enough to wait for. */
const WAITED_FOR: readonly QualityTier[] = ['draft', 'standard'];

/** A model that /v2 offers. */
export type OfferedModel = CatalogueModel & { jobs: JobsTerms };

export interface Choice {
  model: OfferedModel;
  /** What it is charged by. */
  qualityTier: QualityTier;
  credits: number;
  mode: 'txt2img' | 'img2img';
  /** Whether the caller is to be kept waiting for the picture. */
  sync: boolean;
}

const OVERRIDES = ['openai_model', 'cf_model', 'model'] as const;
const SOURCES = ['input_job_id', 'input_asset_url', 'input_image'] as const;

/** Everything about the request that can be wrong is named at once. */
export function choose(request: JobRequest, models: Models): Choice {
  const issues: FieldIssue[] = [];
  const named = OVERRIDES.filter((field) => request[field]);
  const [field, ...others] = named;
  if (others.length > 0) issues.push(...named.map((name) => issue(name, 'name one model at most')));
  const model = field
    ? byName(field, request, models, issues)
    : tierDefault(request.quality_tier ?? DEFAULT_TIER, models);
  const qualityTier = billedTier(model, request);
  const mode = modeOf(request, issues);
  issues.push(...misfits(model, request, mode, models));
  if (issues.length > 0) throw invalidFields(issues);
  return {
    model,
    qualityTier,
    credits: Math.max(ownPrice(model) ?? TIER_CREDITS[qualityTier], model.jobs.minCredits ?? 0),
    mode,
    sync: request.sync ?? WAITED_FOR.includes(qualityTier),
  };
}

/** Before anything is held: what the plan and the milestone forbid, and what cannot be drawn here. */
export function requireAllowed({ model, qualityTier }: Choice, allowance: Allowance, models: Models): void {
  if (!allowance.tiers.includes(qualityTier)) {
    throw gated(
      'subscription',
      `${model.slug} needs a Pro or Agency plan.`,
      'POST /v2/billing/checkout subscribes to one.',
    );
  }
  if (model.jobs.frontier === 'milestone' && !allowance.frontierUnlocked) {
    throw gated(
      'milestone',
      `${model.slug} waits for the community to reach its goal.`,
      'GET /v2/models shows how far it is, in unlock_status.',
    );
  }
  if (!models.isAvailable(model)) {
    throw new Problem('unavailable', `The provider of ${model.slug} is not set up on this installation.`);
  }
}

function gated(gate: 'subscription' | 'milestone', message: string, hint: string): Problem {
  return new Problem('forbidden', message, { hint, extra: { details: { gate } } });
}

/** What the model is asked with. Only after choose(), which has refused all that it would refuse. */
export function drawnWith(
  { model }: Choice,
  request: Pick<JobRequest, 'aspect_ratio' | 'image_size' | 'input_strength'>,
  negativePrompt: string | null,
): ReadParams {
  return readParams(model, {
    ...(request.aspect_ratio && { aspect_ratio: request.aspect_ratio }),
    ...(request.image_size && { image_size: request.image_size }),
    ...(typeof request.input_strength === 'number' && { strength: request.input_strength }),
    ...(negativePrompt !== null && { negative_prompt: negativePrompt }),
  });
}

function byName(
  field: (typeof OVERRIDES)[number],
  request: JobRequest,
  models: Models,
  issues: FieldIssue[],
): OfferedModel {
  const model = models.find(request[field] ?? '');
  if (!model || !isOffered(model)) throw Problem.invalid(field, 'is not in the catalogue');
  models.refuseRetired(model, field);
  const tier = request.quality_tier;
  if (field === 'cf_model' && (tier === 'ultra' || tier === 'ultra_plus')) {
    issues.push(issue('cf_model', 'is for the tiers draft, standard and premium'));
  }
  return model;
}

export function isOffered(model: CatalogueModel): model is OfferedModel {
  return model.jobs !== null;
}

/** What a tier draws with: of those that can run here the one of a real provider, else the built-in renderer. */
export function tierDefault(tier: QualityTier, models: Models): OfferedModel {
  const defaults = models
    .all()
    .filter(isOffered)
    .filter(({ jobs }) => jobs.isTierDefault && jobs.qualityTier === tier)
    .sort((a, b) => Number(a.provider === 'local') - Number(b.provider === 'local'));
  const model = defaults.find((candidate) => models.isAvailable(candidate)) ?? defaults[0];
  if (!model) throw new Error(`no model draws ${tier}`);
  return model;
}

/** Null for models that cost what the tier costs under which they are asked for. */
function ownPrice({ jobs }: OfferedModel): number | null {
  return jobs.field === 'openai_model' || jobs.field === 'model' ? jobs.credits : null;
}

function billedTier(model: OfferedModel, { quality_tier }: JobRequest): QualityTier {
  return ownPrice(model) === null ? (quality_tier ?? DEFAULT_TIER) : model.jobs.qualityTier;
}

function modeOf(request: JobRequest, issues: FieldIssue[]): Choice['mode'] {
  const given = SOURCES.filter((field) => request[field]);
  if (given.length > 1) issues.push(...given.map((field) => issue(field, `send one of ${SOURCES.join(', ')}`)));
  const mode = request.mode ?? (given.length > 0 ? 'img2img' : 'txt2img');
  if (mode === 'img2img' && given.length === 0) {
    issues.push(issue('mode', `img2img goes by a picture: send one of ${SOURCES.join(', ')}`));
  }
  if (mode === 'txt2img') issues.push(...given.map((field) => issue(field, 'is for the mode img2img')));
  return mode;
}

type Takes = (model: CatalogueModel) => boolean;

const TAKES = {
  size: ({ provider }) => provider === 'google',
  source: ({ capabilities }) => capabilities.img2img || capabilities.inpaint,
  mask: ({ capabilities }) => capabilities.inpaint,
  strength: ({ parameters }) => Object.hasOwn(parameters, 'strength'),
} as const satisfies Record<string, Takes>;

function misfits(model: OfferedModel, request: JobRequest, mode: Choice['mode'], models: Models): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const refuse = (field: string, takes: Takes) => {
    if (!takes(model)) issues.push(issue(field, `is not taken by ${model.slug}; ${whoTakes(takes, models)}`));
  };
  if (request.image_size) refuse('image_size', TAKES.size);
  for (const field of SOURCES) if (request[field]) refuse(field, TAKES.source);
  if (request.mask_image) refuse('mask_image', TAKES.mask);
  if (typeof request.input_strength === 'number') refuse('input_strength', TAKES.strength);
  issues.push(...missing(model, request, mode));
  const size = resolveSize(model.sizes, {
    ...(request.aspect_ratio && { aspect_ratio: request.aspect_ratio }),
    ...(request.image_size && TAKES.size(model) && { image_size: request.image_size }),
  });
  if (typeof size === 'string') issues.push(issue(request.image_size ? 'image_size' : 'aspect_ratio', size));
  return issues;
}

/** What the request does not say and would have to. */
function missing({ slug, capabilities }: OfferedModel, request: JobRequest, mode: Choice['mode']): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const onlyMasked = capabilities.inpaint && !capabilities.img2img;
  if (mode === 'txt2img') {
    for (const field of ['mask_image', 'input_strength'] as const) {
      if (request[field] !== null && request[field] !== undefined) issues.push(issue(field, 'is for the mode img2img'));
    }
    if (!capabilities.txt2img)
      issues.push(issue('mode', `${slug} goes by a picture: send one of ${SOURCES.join(', ')}`));
  } else if (onlyMasked && !request.mask_image) issues.push(issue('mask_image', `is required by ${slug}`));
  return issues;
}

function whoTakes(takes: Takes, models: Models): string {
  const names = models
    .all()
    .filter(isOffered)
    .filter((model) => takes(model) && !models.isRetired(model))
    .filter((model) => model.provider !== 'local' || models.isAvailable(model))
    .map(({ slug }) => slug);
  return `it is by ${names.join(', ')}`;
}

function issue(field: string, message: string): FieldIssue {
  return { field, message };
}
