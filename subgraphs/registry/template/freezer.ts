/** What a workflow runs, as it is at this moment and stays in a version of a template. */
import { Problem } from '../../../platform/errors.js';
import { VerifierId } from '../../../platform/ids.js';
import type { Scope } from '../../../platform/scope.js';
import type { Generators } from '../generator/generator.service.js';
import type { VerifierAccess, Verifiers } from '../verifier/verifier.access.js';
import { readReference } from '../versioned/reference.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import type { GeneratorPin, VerifierPin, WorkflowVersion } from '../workflow/workflow.model.js';
import type { FrozenGenerator, FrozenVerifier, SnapshotDocument } from './template.model.js';

/** How a thing is set up, by its pin. */
export type Setup = { pin: string; name: string; description: string } & (
  | Pick<Extract<SnapshotDocument, { kind: 'verifier' }>, 'kind' | 'config'>
  | Pick<Extract<SnapshotDocument, { kind: 'generator' }>, 'kind' | 'config'>
);

export function nounOf({ kind }: Pick<Setup, 'kind'>): string {
  return kind === 'verifier' ? 'verifier' : 'image generator';
}

export interface Frozen {
  verifiers: FrozenVerifier[];
  imageGenerators: FrozenGenerator[];
  setups: Setup[];
}

export interface FreezerDeps {
  verifiers: Verifiers;
  verifierAccess: VerifierAccess;
  generators: Generators;
}

export class Freezer {
  readonly #deps: FreezerDeps;

  constructor(deps: FreezerDeps) {
    this.#deps = deps;
  }

  /** A fork hands out what is frozen here, so that only what the publisher may see whole can be. */
  async freeze(scope: Scope, { verifiers, imageGenerators }: WorkflowVersion): Promise<Frozen> {
    const setups = new Map<string, Setup>();
    const keep = (setup: Setup) => setups.set(setup.pin, setup);
    const frozen = {
      verifiers: await Promise.all(verifiers.map((pin) => this.#verifier(scope, pin, keep))),
      imageGenerators: await Promise.all(imageGenerators.map((pin) => this.#generator(scope, pin, keep))),
    };
    return { ...frozen, setups: [...setups.values()] };
  }

  async #verifier(scope: Scope, { name, verifierId, version }: VerifierPin, keep: Keep): Promise<FrozenVerifier> {
    if (verifierId.startsWith('system:')) return { name, verifierId, version: null, contract: null };
    const { verifiers, verifierAccess } = this.#deps;
    const found = await verifierAccess
      .pinned(scope, VerifierId.format(verifierId), version, 'tune', verifiers.loader())
      .catch((error: unknown) => {
        throw error instanceof Problem && error.slug === 'not_found' ? notYours('verifier', name) : error;
      });
    const { config, description, ...pinned } = found.version;
    const pin = `${verifierId}@${pinned.version}`;
    keep({ kind: 'verifier', pin, name: found.verifier.name, description, config });
    const { inputContract, inputFields } = config;
    return { name, verifierId, version: pinned.version, contract: { inputContract, inputFields } };
  }

  async #generator({ caller }: Scope, { name, generatorRef }: GeneratorPin, keep: Keep): Promise<FrozenGenerator> {
    const named = readReference(generatorRef);
    if (named?.kind === 'system') return { name, generatorRef, contract: null };
    const generator = named?.kind === 'id' ? await this.#deps.generators.loader().load(named.id) : null;
    const usable = generator?.ownerId === caller?.userId && generator?.status === VersionedStatus.ACTIVE;
    const found = usable && generator ? await this.#deps.generators.version(generator, named?.version ?? null) : null;
    if (!generator || !found) throw notYours('image generator', name);
    const pin = `${generator._id}@${found.version}`;
    keep({ kind: 'generator', pin, name: generator.name, description: found.description, config: found.config });
    return { name, generatorRef: pin, contract: found.config.generationContract };
  }
}

type Keep = (setup: Setup) => void;

function notYours(noun: string, name: string): Problem {
  return new Problem('conflict', `The ${noun} "${name}" is revoked, gone, or not yours to publish.`, {
    hint: 'Save the workflow without it, or with one of your own, then publish.',
  });
}
