/** What draws a run: a tier, a deployed generator, or a model for once. */
import { Problem } from '../../../platform/errors.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import { type GeneratorLoader, type GeneratorService, pinOf } from '../generator/generator.service.js';
import type { CatalogueModel, Contract, SystemTier } from '../model/entry.js';
import { isSystemTier, type Models, requireContract } from '../model/models.js';
import { type ReadParams, readParams } from '../model/parameters.js';
import { priceOf } from '../model/price.js';
import { readReference } from '../versioned/reference.js';
import type { RunRequest } from './run.rules.js';

export const DEFAULT_TIER: SystemTier = 'image-standard';

export interface Target {
  model: CatalogueModel;
  /** Null: whatever the presence of a reference image says. */
  contract: Contract | null;
  defaults: Readonly<Record<string, unknown>>;
  generator: { id: string; version: number } | null;
  chosen: string;
  /** Serves input that nobody answers for, so that filtering is not the caller's to switch off. */
  safetyForced: boolean;
}

export interface TargetDeps {
  models: Models;
  generators: GeneratorService;
  loader: GeneratorLoader;
  scope: Scope;
}

/** `reference` is null when a model is named, or nothing at all. */
export async function findTarget(
  reference: string | null,
  { model, version }: RunRequest,
  deps: TargetDeps,
): Promise<Target> {
  if (model) return ephemeral(model, version ?? null, deps);
  const named = readReference(reference ?? `system:${DEFAULT_TIER}`);
  if (named?.kind === 'system') return ofTier(named.name, version ?? null, deps);
  if (named?.kind !== 'id') {
    requireCaller(deps.scope);
    throw notFound();
  }
  const pin = pinOf(named.version, version ?? null);
  const pinned = await deps.generators.runnable(deps.scope, named.id, pin, deps.loader);
  const { config } = pinned.version;
  const drawer = deps.models.find(config.model);
  if (!drawer) throw new Problem('validation_error', `${config.model} is no longer in the catalogue: deploy anew.`);
  deps.models.refuseRetired(drawer);
  return {
    model: drawer,
    contract: config.generationContract,
    defaults: config.defaultParams,
    generator: { id: named.id, version: pinned.version.version },
    chosen: config.model,
    safetyForced: false,
  };
}

function ofTier(tier: string, version: number | null, { models }: TargetDeps): Target {
  if (!isSystemTier(tier)) throw notFound();
  if (version !== null) throw Problem.invalid('version', 'a tier has no versions to choose from');
  const model = models.tier(tier);
  if (!model) throw new Problem('unavailable', 'No image provider is set up on this installation.');
  return { model, contract: null, defaults: {}, generator: null, chosen: tier, safetyForced: true };
}

function ephemeral(slug: string, version: number | null, { models, scope }: TargetDeps): Target {
  requireCaller(scope);
  if (version !== null) throw Problem.invalid('version', 'a model has no versions to choose from');
  const model = models.require(slug);
  return { model, contract: null, defaults: {}, generator: null, chosen: slug, safetyForced: false };
}

function notFound(): Problem {
  return new Problem('not_found', 'image generator not found');
}

export function contractOf({ model, contract }: Target, withReference: boolean): Contract {
  if (contract === 'text_to_image' && withReference) {
    throw Problem.invalid('reference_image_url', 'this generator is text_to_image and takes no reference image');
  }
  if (contract === 'image_to_image' && !withReference) {
    throw Problem.invalid('reference_image_url', 'is required: this generator is image_to_image');
  }
  const inferred = withReference ? 'image_to_image' : 'text_to_image';
  requireContract(model, contract ?? inferred, 'reference_image_url');
  return contract ?? inferred;
}

/** What the run draws with, and what each picture costs. */
export interface Terms extends ReadParams {
  unitMicros: number;
}

export function termsOf({ model, defaults }: Target, contract: Contract, given: RunRequest['params']): Terms {
  const read = readParams(model, merged(defaults, given ?? {}));
  const references = contract === 'image_to_image' ? 1 : 0;
  const unitMicros = priceOf(model, { ...read, references });
  if (unitMicros === null) throw Problem.invalid('params', `${model.slug} has no price at this size`);
  return { ...read, unitMicros };
}

/** The two ways to say a size exclude each other, so that a caller's one replaces the other of the defaults. */
function merged(defaults: Target['defaults'], given: Record<string, unknown>): Record<string, unknown> {
  const { image_size, aspect_ratio, ...others } = defaults;
  const sized = 'image_size' in given || 'aspect_ratio' in given;
  return {
    ...others,
    ...(!sized && image_size !== undefined && { image_size }),
    ...(!sized && aspect_ratio !== undefined && { aspect_ratio }),
    ...given,
  };
}
