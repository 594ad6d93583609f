/** A private workflow from a version of a template, with copies of what it runs; without an account, its text alone. */
import { newId } from '../../../platform/ids.js';
import { checked } from '../../../platform/rules.js';
import type { Scope } from '../../../platform/scope.js';
import type { Generators } from '../generator/generator.service.js';
import type { Verifiers } from '../verifier/verifier.access.js';
import type { GeneratorPin, VerifierPin, WorkflowDocument, WorkflowVersion } from '../workflow/workflow.model.js';
import { slugOf } from '../workflow/workflow.rules.js';
import type { WorkflowService } from '../workflow/workflow.service.js';
import { templateNotFound } from './template.access.js';
import type { SnapshotDocument } from './template.model.js';
import { forkRules } from './template.rules.js';
import type { OpenTemplate, TemplateService } from './template.service.js';
import { frozenPins, type TemplateStore } from './template.store.js';

export interface ForkServiceDeps {
  templates: TemplateService;
  store: TemplateStore;
  workflows: WorkflowService;
  verifiers: Verifiers;
  generators: Generators;
  now: () => Date;
}

export interface Fork {
  source: OpenTemplate;
  name: string;
  slug: string;
  /** Null for a caller without an account: nothing is stored. */
  workflow: WorkflowDocument | null;
}

/** A thing that is to be, for the one that a version froze. */
interface Copy {
  id: string;
  snapshot: SnapshotDocument;
}

type Copies = ReadonlyMap<string, Copy>;

export class ForkService {
  readonly #deps: ForkServiceDeps;

  constructor(deps: ForkServiceDeps) {
    this.#deps = deps;
  }

  async fork(scope: Scope, given: unknown): Promise<Fork> {
    const { identifier, version, name: wanted } = checked(forkRules, given);
    const source = await this.#deps.templates.open(scope, identifier, version ?? null);
    const name = wanted?.trim() ?? source.content.name;
    const slug = wanted ? slugOf(wanted) : source.template.slug;
    const workflow = scope.caller ? await this.#stored(scope.caller.userId, source, name, slug) : null;
    return { source, name, slug: workflow?.slug ?? slug, workflow };
  }

  async #stored(ownerId: string, source: OpenTemplate, name: string, slug: string): Promise<WorkflowDocument> {
    const { template, content } = source;
    const copies = await this.#copiesOf(source);
    const ofKind = (kind: SnapshotDocument['kind']) =>
      [...copies.values()].flatMap(({ id, snapshot }) => (snapshot.kind === kind ? [id] : []));
    return this.#deps.workflows.fork(ownerId, {
      slug,
      parent: { templateId: template._id, version: content.version },
      copies: { ownerId, verifiers: ofKind('verifier'), generators: ofKind('generator') },
      make: async () => {
        for (const copy of copies.values()) await this.#make(ownerId, copy);
        const files = await this.#deps.templates.files(source);
        return { ...versionOf(ownerId, source, copies, this.#deps.now()), name, files };
      },
    });
  }

  async #copiesOf({ template, content }: OpenTemplate): Promise<Copies> {
    const pins = frozenPins(content);
    const snapshots = await this.#deps.store.snapshots(template._id, pins);
    // It was erased a moment ago.
    if (snapshots.length < pins.length) throw templateNotFound();
    const prefix = template._id.length + 1;
    return new Map(snapshots.map((snapshot) => [snapshot._id.slice(prefix), { id: newId(), snapshot }]));
  }

  async #make(ownerId: string, { id, snapshot }: Copy): Promise<void> {
    const { name, description } = snapshot;
    const { verifiers, generators } = this.#deps;
    if (snapshot.kind === 'verifier') {
      await verifiers.copy(ownerId, id, { name, description, config: snapshot.config });
    } else {
      await generators.copy(ownerId, id, { name, description, config: snapshot.config });
    }
  }
}

function versionOf(
  ownerId: string,
  { content }: OpenTemplate,
  copies: Copies,
  createdAt: Date,
): Omit<WorkflowVersion, 'files' | 'name'> {
  const { description, outcome, tags, body, publishingHandle, version } = content;
  return {
    version: 1,
    description,
    outcome,
    tags,
    body,
    verifiers: content.verifiers.map((pin): VerifierPin => {
      const copy = copies.get(`${pin.verifierId}@${pin.version}`);
      const { name, verifierId } = pin;
      if (!copy) return { name, verifierId, version: null, sharedBy: null };
      return { name, verifierId: copy.id, version: 1, sharedBy: ownerId };
    }),
    imageGenerators: content.imageGenerators.map(({ name, generatorRef }): GeneratorPin => {
      const copy = copies.get(generatorRef);
      return { name, generatorRef: copy ? `${copy.id}@1` : generatorRef };
    }),
    source: `fork of version ${version} of a template by @${publishingHandle}`,
    savedBy: ownerId,
    createdAt,
  };
}
