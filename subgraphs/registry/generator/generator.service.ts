import { Problem } from '../../../platform/errors.js';
import { checked } from '../../../platform/rules.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { Contract } from '../model/entry.js';
import { type Models, requireContract } from '../model/models.js';
import { readParams } from '../model/parameters.js';
import { priceOf } from '../model/price.js';
import type { LiveReferences } from '../versioned/live-references.js';
import { readReference } from '../versioned/reference.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import type { Loader, VersionedService } from '../versioned/versioned.service.js';
import type { GeneratorConfig, GeneratorDocument, GeneratorVersion } from './generator.model.js';
import { deployRules } from './generator.rules.js';

export type Generators = VersionedService<GeneratorConfig>;
export type GeneratorLoader = Loader<GeneratorConfig>;

/** A generator at one of its versions. */
export interface PinnedGenerator {
  generator: GeneratorDocument;
  version: GeneratorVersion;
}

export interface GeneratorServiceDeps {
  generators: Generators;
  models: Models;
  live: LiveReferences;
}

export class GeneratorService {
  readonly #deps: GeneratorServiceDeps;

  constructor(deps: GeneratorServiceDeps) {
    this.#deps = deps;
  }

  /** Everything is checked, the price above all, before anything is written. */
  async deploy(scope: Scope, request: unknown): Promise<GeneratorDocument> {
    const { name, description, model, generation_contract, default_params, expected_version_token } = checked(
      deployRules,
      request,
    );
    const { userId } = requireCaller(scope);
    const config = this.#drawable(model, generation_contract, default_params ?? {});
    return this.#deps.generators.deploy(userId, {
      name,
      description: description ?? '',
      config,
      expectedVersionToken: expected_version_token ?? null,
    });
  }

  #drawable(slug: string, generationContract: Contract, defaultParams: Record<string, unknown>): GeneratorConfig {
    const { models } = this.#deps;
    const model = models.require(slug);
    requireContract(model, generationContract, 'generation_contract');
    const { params, size } = readParams(model, defaultParams, 'default_params');
    const references = generationContract === 'image_to_image' ? 1 : 0;
    if (priceOf(model, { size, params, references }) === null) {
      throw Problem.invalid('model', `${slug} has no price at these default_params`);
    }
    return { model: slug, provider: model.provider, generationContract, defaultParams };
  }

  /** One of the caller's at the version that is named; anything else answers as what does not exist. */
  async find(
    scope: Scope,
    reference: string,
    version: number | null,
    loader: GeneratorLoader,
  ): Promise<PinnedGenerator> {
    const caller = requireCaller(scope);
    const named = readReference(reference);
    if (named?.kind !== 'id') throw this.#deps.generators.notFound();
    return this.pinned(caller, named.id, pinOf(named.version, version), loader);
  }

  async pinned(caller: Caller, id: string, pin: number | null, loader: GeneratorLoader): Promise<PinnedGenerator> {
    const generator = await this.owned(caller, id, loader);
    const version =
      generator.status === VersionedStatus.ACTIVE ? await this.#deps.generators.version(generator, pin) : null;
    if (!version) throw this.#deps.generators.notFound();
    return { generator, version };
  }

  /** What the caller may run: one of their own, else what a live template runs, as anybody may. */
  async runnable(scope: Scope, id: string, pin: number | null, loader: GeneratorLoader): Promise<PinnedGenerator> {
    const generator = await loader.load(id);
    if (scope.caller && generator?.ownerId === scope.caller.userId) return this.pinned(scope.caller, id, pin, loader);
    const live = await this.#deps.live.publicVersion(id, pin);
    // Revoked or not: what a template froze goes on.
    const version = generator && live !== null ? await this.#deps.generators.version(generator, live) : null;
    if (generator && version) return { generator, version };
    // Whether there is such a generator is not for callers without an account to learn.
    requireCaller(scope);
    throw this.#deps.generators.notFound();
  }

  /** One of the caller's, revoked or not. */
  async owned({ userId }: Caller, id: string, loader: GeneratorLoader): Promise<GeneratorDocument> {
    const generator = await loader.load(id);
    if (generator?.ownerId !== userId) throw this.#deps.generators.notFound();
    return generator;
  }

  /** The id that a caller named a generator by, for what is done to all of its versions. */
  idOf(reference: string): string {
    const named = readReference(reference);
    if (named?.kind !== 'id' || named.version !== null) throw this.#deps.generators.notFound();
    return named.id;
  }
}

/** A version can be pinned in the reference or beside it. Saying two different ones is a mistake. */
export function pinOf(inReference: number | null, beside: number | null): number | null {
  if (inReference !== null && beside !== null && inReference !== beside) {
    throw Problem.invalid('version', `contradicts the version ${inReference} of the reference`);
  }
  return inReference ?? beside;
}
