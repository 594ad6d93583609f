/** What a workflow names of verifiers and image generators: checked when it is saved, so that nobody pins what is not theirs to use. */
import type { FieldIssue } from '../../../platform/errors.js';
import { VerifierId } from '../../../platform/ids.js';
import { invalidFields } from '../../../platform/rules.js';
import type { Scope } from '../../../platform/scope.js';
import { isSystemTier } from '../model/models.js';
import { readReference } from '../versioned/reference.js';
import type { GeneratorPin, VerifierPin, WorkflowVersion } from './workflow.model.js';
import type { SaveRequest } from './workflow.rules.js';

/** What a verifier is to the caller; null for what they may not run. */
export interface Pinnable {
  id: string;
  ownerId: string;
}

export interface PinReaderDeps {
  verifier(scope: Scope, id: string, version: number | null): Promise<Pinnable | null>;
  generator(scope: Scope, id: string, version: number | null): Promise<Pinnable | null>;
  isSystemVerifier(name: string): boolean;
}

export interface Pins {
  verifiers: VerifierPin[];
  imageGenerators: GeneratorPin[];
}

export class PinReader {
  readonly #deps: PinReaderDeps;

  constructor(deps: PinReaderDeps) {
    this.#deps = deps;
  }

  async read(scope: Scope, request: SaveRequest, before: WorkflowVersion | null): Promise<Pins> {
    const issues: FieldIssue[] = [];
    const [verifiers, imageGenerators] = await Promise.all([
      request.verifiers ? this.#verifiers(scope, request.verifiers, before, issues) : (before?.verifiers ?? []),
      request.image_generators
        ? this.#generators(scope, request.image_generators, before, issues)
        : (before?.imageGenerators ?? []),
    ]);
    if (issues.length > 0) throw invalidFields(issues);
    return { verifiers, imageGenerators };
  }

  async #verifiers(
    scope: Scope,
    given: NonNullable<SaveRequest['verifiers']>,
    before: WorkflowVersion | null,
    issues: FieldIssue[],
  ): Promise<VerifierPin[]> {
    refuseDoubles(given, 'verifiers', issues);
    const pins = await Promise.all(
      given.map(async ({ name, verifier_id, version }, i): Promise<VerifierPin | null> => {
        const named = readReference(verifier_id, VerifierId);
        if (named?.kind === 'system' && this.#deps.isSystemVerifier(named.name)) {
          return { name, verifierId: verifier_id, version: null, sharedBy: null };
        }
        const pin = named?.kind === 'id' ? pinOf(named.version, version ?? null) : null;
        if (named?.kind !== 'id' || pin === 'contradiction') {
          issues.push({ field: `verifiers.${i}.verifier_id`, message: 'is no verifier that you can run' });
          return null;
        }
        const pinned = before?.verifiers.filter((old) => old.verifierId === named.id) ?? [];
        const found = await this.#deps.verifier(scope, named.id, pin);
        // What an earlier version pinned stays pinned, whoever saves the next one.
        if (!found && !pinned.some((old) => old.version === pin)) {
          issues.push({ field: `verifiers.${i}.verifier_id`, message: 'is no verifier that you can run' });
          return null;
        }
        const own = found !== null && found.ownerId === scope.caller?.userId;
        // Once its owner has put it into the workflow, others may pin it at another version.
        const sharedBy = own ? found.ownerId : (pinned.find((old) => old.sharedBy !== null)?.sharedBy ?? null);
        return { name, verifierId: named.id, version: pin, sharedBy };
      }),
    );
    return pins.flatMap((pin) => pin ?? []);
  }

  async #generators(
    scope: Scope,
    given: NonNullable<SaveRequest['image_generators']>,
    before: WorkflowVersion | null,
    issues: FieldIssue[],
  ): Promise<GeneratorPin[]> {
    refuseDoubles(given, 'image_generators', issues);
    await Promise.all(
      given.map(async ({ generator_ref }, i) => {
        const named = readReference(generator_ref);
        if (named?.kind === 'system' && isSystemTier(named.name)) return;
        if (before?.imageGenerators.some((old) => old.generatorRef === generator_ref)) return;
        const found = named?.kind === 'id' ? await this.#deps.generator(scope, named.id, named.version) : null;
        if (found) return;
        issues.push({ field: `image_generators.${i}.generator_ref`, message: 'is no image generator of yours' });
      }),
    );
    return given.map(({ name, generator_ref }) => ({ name, generatorRef: generator_ref }));
  }
}

function refuseDoubles(given: readonly { name: string }[], field: string, issues: FieldIssue[]): void {
  const seen = new Set<string>();
  for (const [i, { name }] of given.entries()) {
    if (seen.has(name)) issues.push({ field: `${field}.${i}.name`, message: 'is there twice' });
    seen.add(name);
  }
}

function pinOf(inReference: number | null, beside: number | null): number | null | 'contradiction' {
  if (inReference !== null && beside !== null && inReference !== beside) return 'contradiction';
  return inReference ?? beside;
}
