/** Which models there are here, which of them can run, and which one a tier means. */
import { Problem } from '../../../platform/errors.js';
import { CATALOGUE, compatibleModel } from './catalogue.js';
import {
  type CatalogueModel,
  type Contract,
  contractsOf,
  type ProviderName,
  SYSTEM_TIERS,
  type SystemTier,
} from './entry.js';
import { basePrice } from './price.js';

export interface CompatibleServer {
  /** Its models by name, each with its price in micro-dollars. */
  models: ReadonlyMap<string, number>;
  /** Price of a model that is not named; null refuses those. */
  otherMicros: number | null;
}

export interface ModelsDeps {
  /** Providers that have what they need to be called. */
  configured: ReadonlySet<ProviderName>;
  compatible: CompatibleServer | null;
  now: () => Date;
  catalogue?: readonly CatalogueModel[];
}

const COMPATIBLE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;
const COMPATIBLE_PREFIX = 'openai-compatible/';

export class Models {
  readonly #deps: ModelsDeps;
  readonly #list: readonly CatalogueModel[];
  readonly #byName = new Map<string, CatalogueModel>();

  constructor(deps: ModelsDeps) {
    this.#deps = deps;
    const own = [...(deps.compatible?.models ?? [])].map(([name, micros]) => compatibleModel(name, micros));
    this.#list = [...(deps.catalogue ?? CATALOGUE), ...own].sort((a, b) => (a.slug < b.slug ? -1 : 1));
    for (const model of this.#list) {
      const names = [model.slug, ...(model.aliases ?? [])];
      for (const name of names) this.#byName.set(name, model).set(`${model.provider}/${name}`, model);
    }
  }

  /** All of them, by slug. */
  all(): readonly CatalogueModel[] {
    return this.#list;
  }

  find(name: string): CatalogueModel | null {
    return this.#byName.get(name) ?? this.#unlisted(name);
  }

  /** The model that a caller names, or the 400 that says why it cannot be deployed or run. */
  require(name: string, field = 'model'): CatalogueModel {
    const model = this.find(name);
    if (!model || basePrice(model) === null) {
      throw new Problem('validation_error', `${field}: no price is known for this model`, {
        details: [{ field, message: 'no price is known for this model' }],
        hint: 'GET /v1/models lists the models and their prices.',
      });
    }
    this.refuseRetired(model, field);
    return model;
  }

  /** Also for a version that was deployed while the model was there. */
  refuseRetired(model: CatalogueModel, field = 'model'): void {
    if (!this.isRetired(model)) return;
    const message = `${model.slug} was retired by its provider on ${model.retiresAt}`;
    throw new Problem('validation_error', `${field}: ${message}`, {
      details: [{ field, message }],
      hint: `Use ${(model.successors ?? []).join(' or ')} instead.`,
    });
  }

  isRetired({ retiresAt }: CatalogueModel): boolean {
    return retiresAt !== undefined && this.#deps.now().toISOString().slice(0, 10) >= retiresAt;
  }

  isAvailable(model: CatalogueModel): boolean {
    return this.#deps.configured.has(model.provider) && basePrice(model) !== null && !this.isRetired(model);
  }

  /**
   * The newest available model of the tier; the built-in renderer stands behind those of real providers. A tier that
   * no configured provider serves takes the nearest one that is served, a lower one first. Null: nothing can draw.
   */
  tier(tier: SystemTier): CatalogueModel | null {
    const place = SYSTEM_TIERS.indexOf(tier);
    const lowerFirst = [...SYSTEM_TIERS.slice(0, place + 1).reverse(), ...SYSTEM_TIERS.slice(place + 1)];
    for (const candidate of lowerFirst) {
      const model = this.#newest(candidate);
      if (model) return model;
    }
    return this.#list.find((model) => this.isAvailable(model) && contractsOf(model).includes('text_to_image')) ?? null;
  }

  #newest(tier: SystemTier): CatalogueModel | null {
    const [best] = this.#list
      .filter((model) => model.systemTier === tier && this.isAvailable(model))
      .sort((a, b) => Number(isLocal(a)) - Number(isLocal(b)) || (a.released < b.released ? 1 : -1));
    return best ?? null;
  }

  #unlisted(name: string): CatalogueModel | null {
    const { compatible } = this.#deps;
    if (!compatible || compatible.otherMicros === null || !name.startsWith(COMPATIBLE_PREFIX)) return null;
    const wireName = name.slice(COMPATIBLE_PREFIX.length);
    return COMPATIBLE_NAME.test(wireName) ? compatibleModel(wireName, compatible.otherMicros) : null;
  }
}

function isLocal({ provider }: CatalogueModel): boolean {
  return provider === 'local';
}

export function isSystemTier(name: string): name is SystemTier {
  return (SYSTEM_TIERS as readonly string[]).includes(name);
}

/** Throws the 400 that names `field` when the model cannot do it. */
export function requireContract(model: CatalogueModel, contract: Contract, field: string): void {
  if (contractsOf(model).includes(contract)) return;
  throw Problem.invalid(
    field,
    `${model.slug} does not do ${contract}; it does ${contractsOf(model).join(', ') || 'neither'}`,
  );
}
