/** Private runbooks: saved version by version, found again, put away and erased. */
import DataLoader from 'dataloader';
import type { Collection, Db, Document, Filter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId, WorkflowId } from '../../../platform/ids.js';
import { encodeCursor, findPage, type Page, type PageRequest, pageSize } from '../../../platform/mongo/page.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { checked } from '../../../platform/rules.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import { randomToken } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { Memberships } from '../grant/memberships.js';
import type { Bundles } from './bundle.js';
import { type ReadFile, readBundle } from './bundle.rules.js';
import { readFrontMatter } from './front-matter.js';
import type { PinReader } from './pins.js';
import {
  type Access,
  accessOf,
  OWNER,
  requireRole,
  sharedWith,
  type Viewer,
  visibleTo,
  workflowNotFound,
} from './workflow.access.js';
import {
  type BundleFile,
  type Copies,
  type Parent,
  WORKFLOW_VERSIONS,
  WORKFLOWS,
  type WorkflowDocument,
  WorkflowStatus,
  type WorkflowTombstone,
  type WorkflowVersion,
  type WorkflowVersionDocument,
  workflowVersionId,
} from './workflow.model.js';
import { type SaveRequest, saveRules, searchedWords, searchWords, slugOf } from './workflow.rules.js';

export interface WorkflowServiceDeps {
  db: Db;
  bundles: Bundles;
  memberships: Memberships;
  pins: PinReader;
  /** Ends what depended on a workflow that is gone. Must be idempotent. */
  gone(workflowId: string): Promise<void>;
  /** There is a version that cannot be searched for yet. */
  saved(workflowId: string): void;
  /** Erases what was made for a fork that came to nothing. Must be idempotent. */
  dropCopies(copies: Copies): Promise<void>;
  now: () => Date;
}

/** What a fork of a template begins as. */
export interface ForkedWorkflow {
  slug: string;
  parent: Parent;
  copies: Copies;
  /** Makes what the version names, the copies among it. */
  make(): Promise<Omit<WorkflowVersion, 'files'> & { files: ReadFile[] }>;
}

export type WorkflowLoader = DataLoader<string, FoundWorkflow | null>;

/** A workflow, and what the caller may do with it. */
export interface FoundWorkflow {
  workflow: WorkflowDocument;
  access: Access;
}

/** The same at one of its versions. */
export interface OpenWorkflow extends FoundWorkflow {
  version: WorkflowVersion;
}

export interface ListFilter {
  whose: keyof typeof WHOSE;
  tag?: string | null;
  search?: string | null;
  includeArchived?: boolean | null;
}

const mine = ({ userId }: Viewer): Document => ({ ownerId: userId });

/** What is asked for apart each has an index that sorts; together they would have none. */
const WHOSE = {
  mine: (viewer: Viewer) => [mine(viewer)],
  shared: (viewer: Viewer) => [sharedWith(viewer)],
  all: (viewer: Viewer) => [mine(viewer), sharedWith(viewer)],
};

const FORKS = 200;
const MAX_SLUG = 100;
const SWEEP_MS = 60_000;
const SWEPT_AT_ONCE = 50;
// Longer than any save that read the workflow before it was erased, or that is putting files it will name.
const UNDER_WAY_MS = 60 * 60_000;

export class WorkflowService {
  readonly #deps: WorkflowServiceDeps;
  readonly #workflows: Collection<WorkflowDocument>;
  readonly #tombstones: Collection<WorkflowTombstone>;
  readonly #versions: Collection<WorkflowVersionDocument>;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: WorkflowServiceDeps) {
    this.#deps = deps;
    this.#workflows = deps.db.collection<WorkflowDocument>(WORKFLOWS.name);
    this.#tombstones = deps.db.collection<WorkflowTombstone>(WORKFLOWS.name);
    this.#versions = deps.db.collection<WorkflowVersionDocument>(WORKFLOW_VERSIONS.name);
    this.tasks = [
      { name: 'registry-erased-workflows', everyMs: SWEEP_MS, run: () => this.sweepErased() },
      { name: 'registry-loose-files', everyMs: SWEEP_MS, run: () => this.sweepLoose() },
    ];
  }

  /** What one caller may see of workflows, by id. */
  loader(scope: Scope): WorkflowLoader {
    return new DataLoader(async (ids) => {
      const viewer = await this.viewerOf(scope);
      const filter = { _id: { $in: [...ids] }, ...visibleTo(viewer) } as Filter<WorkflowDocument>;
      const found = await this.#workflows.find(filter).toArray();
      const byId = new Map(found.map((workflow) => [workflow._id, workflow]));
      return ids.map((id) => {
        const workflow = byId.get(id);
        const access = workflow && accessOf(viewer, workflow);
        return workflow && access ? { workflow, access } : null;
      });
    });
  }

  /** Makes a workflow, or the next version of one. */
  async save(scope: Scope, given: unknown): Promise<FoundWorkflow> {
    const request = filledIn(checked(saveRules, given));
    const { userId } = requireCaller(scope);
    const files = request.files ? readBundle(request.files) : null;
    const before = await this.#savedBefore(scope, userId, request);
    const existing = before?.workflow ?? null;
    const pins = await this.#deps.pins.read(scope, request, existing?.current ?? null);
    const _id = existing?._id ?? newId();
    const bundle = files && (await this.#putFiles(_id, existing !== null, files));
    const at = this.#deps.now();
    const version = nextVersion(existing?.current ?? null, request, { files: bundle, ...pins, savedBy: userId, at });
    const workflow = before
      ? await this.#append(before, version)
      : await this.#create(_id, userId, request.slug ?? slugOf(version.name), version);
    // It changed hands or is gone: what its saver may do with it is another question then.
    if (!workflow) return this.save(scope, given);
    this.#deps.saved(_id);
    return { workflow, access: before?.access ?? OWNER };
  }

  /**
   * Files come before what names them: a save that fails leaves bytes that nobody refers to, never the reverse. Before
   * them comes the mark by which the sweeper finds such bytes.
   */
  async #putFiles(_id: string, exists: boolean, files: readonly ReadFile[]): Promise<BundleFile[]> {
    if (files.length === 0) return [];
    if (exists) await this.#workflows.updateOne({ _id, ownerId: { $exists: true } }, this.#loosen());
    else await this.#tombstones.insertOne({ _id, erasedAt: this.#in(UNDER_WAY_MS) });
    return this.#deps.bundles.put(_id, files);
  }

  #loosen() {
    return { $set: { looseFrom: this.#in(UNDER_WAY_MS) } };
  }

  #in(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }

  /**
   * A new workflow under the first free slug, with what is made for it. All of it is done between the mark and the
   * workflow, so that the sweeper finds what a dead process left.
   */
  async fork(ownerId: string, { slug, parent, copies, make }: ForkedWorkflow): Promise<WorkflowDocument> {
    const _id = newId();
    await this.#tombstones.insertOne({ _id, erasedAt: this.#in(UNDER_WAY_MS), copies });
    try {
      const { files, ...made } = await make();
      const bundle = await this.#deps.bundles.put(_id, files);
      const current = { ...made, files: bundle };
      for (let nth = 1; nth <= FORKS; nth++) {
        const suffix = nth === 1 ? '' : `-${nth}`;
        const free = `${slug.slice(0, MAX_SLUG - suffix.length)}${suffix}`;
        const workflow = await this.#insert(firstOf({ _id, ownerId, slug: free, current, parent }));
        if (workflow) {
          this.#deps.saved(_id);
          return workflow;
        }
        const tookHold = await this.#tombstones.findOne({ _id, erasedAt: { $lte: this.#deps.now() } });
        if (tookHold) throw new Problem('unavailable', 'The fork took too long and was given up.');
      }
      throw new Problem('conflict', `You have too many workflows of the slug ${slug}.`);
    } catch (error) {
      // The sweeper does the rest, now rather than in an hour.
      await this.#tombstones.updateOne({ _id, copies: { $exists: true } }, { $set: { erasedAt: this.#deps.now() } });
      throw error;
    }
  }

  /** The template is gone: what was forked from it stays, and says so. */
  async orphan(templateId: string): Promise<void> {
    await this.#workflows.updateMany({ 'parent.templateId': templateId }, { $set: { parent: null, parentGone: true } });
  }

  /** What the request is a new version of; null for a new workflow. */
  async #savedBefore(scope: Scope, userId: string, request: Filled): Promise<FoundWorkflow | null> {
    const token = request.expected_version_token ?? null;
    const found = request.workflow_id
      ? await this.find(scope, request.workflow_id)
      : await this.#own(userId, request.slug ?? slugOf(request.name));
    if (!found) {
      if (token === null) return null;
      throw conflict('There is no workflow of that slug: leave expected_version_token out.', null);
    }
    requireRole(found.access, 'edit');
    const { workflow } = found;
    if (workflow.status === WorkflowStatus.ARCHIVED) {
      throw new Problem('conflict', `The workflow of the slug ${workflow.slug} is archived.`, {
        hint: 'Unarchive it, or save under another slug.',
      });
    }
    if (request.slug && request.slug !== workflow.slug) {
      throw Problem.invalid('slug', 'cannot be changed by saving a version');
    }
    if (token !== workflow.versionToken) throw token === null ? takenSlug(workflow) : staleToken(workflow);
    return found;
  }

  async #own(ownerId: string, slug: string): Promise<FoundWorkflow | null> {
    const workflow = await this.#workflows.findOne({ ownerId, slug });
    return workflow && { workflow, access: OWNER };
  }

  async #create(_id: string, ownerId: string, slug: string, current: WorkflowVersion): Promise<WorkflowDocument> {
    const workflow = await this.#insert(firstOf({ _id, ownerId, slug, current, parent: null }));
    if (workflow) return workflow;
    const winner = await this.#workflows.findOne({ ownerId, slug });
    throw winner ? takenSlug(winner) : conflict('The workflow was erased in the meantime.', null);
  }

  /** In the place of its mark, if there is one. Null: the slug is taken, or the mark took hold meanwhile. */
  async #insert(workflow: WorkflowDocument): Promise<WorkflowDocument | null> {
    const marked = { _id: workflow._id, erasedAt: { $gt: this.#deps.now() } } as Filter<WorkflowDocument>;
    try {
      await this.#workflows.replaceOne(marked, workflow, { upsert: true });
      return workflow;
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /** On condition that whoever saves as the owner still is; null where that has changed. */
  async #append({ workflow, access }: FoundWorkflow, version: WorkflowVersion): Promise<WorkflowDocument | null> {
    const { _id, current, versionToken } = workflow;
    const owner = access.role === 'owner' ? workflow.ownerId : { $exists: true };
    await this.#keep(_id, current);
    const moved = await this.#workflows.findOneAndUpdate(
      { _id, ownerId: owner, status: WorkflowStatus.LIVE, versionToken },
      {
        $set: {
          current: version,
          versionToken: randomToken(),
          words: wordsOf(version),
          updatedAt: version.createdAt,
        },
      },
      { returnDocument: 'after' },
    );
    if (moved) return moved;
    const winner = await this.#workflows.findOne({ _id, ownerId: owner });
    if (winner) throw staleToken(winner);
    return null;
  }

  /** Before a version is replaced its copy is kept. Racing saves keep the same one. */
  async #keep(workflowId: string, current: WorkflowVersion): Promise<void> {
    try {
      await this.#versions.insertOne({
        _id: workflowVersionId(workflowId, current.version),
        workflowId,
        ...current,
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /** By id, or by a slug of the caller's own. Whoever may not see it is told that it does not exist. */
  async find(scope: Scope, reference: string): Promise<FoundWorkflow> {
    const { userId } = requireCaller(scope);
    const id = WorkflowId.parse(reference);
    const own = await this.#workflows.findOne(
      id === null ? { ownerId: userId, slug: reference } : { _id: id, ownerId: userId },
    );
    const found = own ? { workflow: own, access: OWNER } : id && (await this.#shared(scope, id));
    if (!found) throw workflowNotFound();
    return found;
  }

  /** What is another's and what is missing take the same steps, and so the same time. */
  async #shared(scope: Scope, _id: string): Promise<FoundWorkflow | null> {
    const viewer = await this.viewerOf(scope);
    // It may have become the caller's since it was looked for among their own.
    const workflow = await this.#workflows.findOne({ _id, ...visibleTo(viewer) } as Filter<WorkflowDocument>);
    const access = workflow && accessOf(viewer, workflow);
    return workflow && access && { workflow, access };
  }

  async viewerOf(scope: Scope): Promise<Viewer> {
    const { userId } = requireCaller(scope);
    return { userId, teams: await this.#deps.memberships.teamsOf(scope) };
  }

  /** At the version that is named, or the current one. */
  async open(scope: Scope, reference: string, version: number | null): Promise<OpenWorkflow> {
    const { workflow, access } = await this.find(scope, reference);
    const found = await this.version(workflow, version, access);
    if (!found) throw workflowNotFound();
    return { workflow, version: found, access };
  }

  async version({ _id, current, erasedVersions }: WorkflowDocument, version: number | null, { floor }: Access) {
    if (version === null || version === current.version) return current;
    if (version > current.version || version < floor || erasedVersions?.includes(version)) return null;
    return this.#versions.findOne({ _id: workflowVersionId(_id, version) });
  }

  /** Versions that the caller may see, newest first. */
  async versions(
    { _id, current, erasedVersions = [] }: WorkflowDocument,
    { floor }: Access,
    limit: number,
    below: number | null,
  ) {
    const before = Math.min(below ?? current.version, current.version);
    const older = await this.#versions
      .find({ workflowId: _id, version: { $lt: before, $gte: floor, $nin: erasedVersions } })
      .sort({ version: -1 })
      .limit(limit)
      .toArray();
    const first: WorkflowVersion[] = below === null || current.version < below ? [current] : [];
    return [...first, ...older].slice(0, limit);
  }

  async list(scope: Scope, { whose, ...filter }: ListFilter, page: PageRequest): Promise<Page<FoundWorkflow>> {
    const { userId } = requireCaller(scope);
    const viewer = whose === 'mine' ? { userId, teams: [] } : await this.viewerOf(scope);
    const matched = matching(filter);
    const pages = await Promise.all(
      WHOSE[whose](viewer).map((part) => {
        return findPage(this.#workflows, { ...part, ...matched } as Filter<WorkflowDocument>, page);
      }),
    );
    const all = pages.flatMap(({ items }) => items).sort((a, b) => (a._id < b._id ? 1 : -1));
    const size = pageSize(page);
    const items = all.slice(0, size).flatMap((workflow) => {
      const access = accessOf(viewer, workflow);
      return access ? { workflow, access } : [];
    });
    return {
      items,
      cursorOf: ({ workflow }) => encodeCursor(workflow._id),
      hasNextPage: all.length > size || pages.some(({ hasNextPage }) => hasNextPage),
    };
  }

  /** Archiving what is archived, and the reverse, changes nothing. */
  async setStatus(scope: Scope, reference: string, status: WorkflowStatus): Promise<FoundWorkflow> {
    const { workflow, access } = await this.find(scope, reference);
    requireRole(access, 'owner');
    const moved = await this.#workflows.findOneAndUpdate(
      { _id: workflow._id, ownerId: workflow.ownerId },
      { $set: { status } },
      { returnDocument: 'after' },
    );
    if (!moved) throw workflowNotFound();
    return { workflow: moved, access };
  }

  /** For good and at once. Its slug is free again. */
  async erase(scope: Scope, reference: string): Promise<WorkflowDocument> {
    const { workflow, access } = await this.find(scope, reference);
    requireRole(access, 'owner');
    const { _id, ownerId } = workflow;
    const { matchedCount } = await this.#workflows.updateOne({ _id, ownerId }, [
      { $replaceWith: { _id: '$_id', erasedAt: this.#deps.now() } },
    ]);
    if (matchedCount === 0) throw workflowNotFound();
    await this.#eraseRest(_id);
    return workflow;
  }

  /** Numbers are never given again: they go on from the current version. */
  async eraseVersion(scope: Scope, reference: string, version: number): Promise<WorkflowDocument> {
    const { workflow, access } = await this.find(scope, reference);
    requireRole(access, 'owner');
    if (version === workflow.current.version) {
      throw new Problem('conflict', 'The current version cannot be erased by itself.', {
        hint: 'Save another version first, or delete the workflow.',
      });
    }
    const erased = { _id: workflowVersionId(workflow._id, version) };
    if (!(await this.version(workflow, version, access)) || !(await this.#versions.findOne(erased))) {
      throw workflowNotFound();
    }
    // Marked first: from here on nobody is shown it, whoever writes its copy once more, and its files are looked after.
    const { matchedCount } = await this.#workflows.updateOne(
      { _id: workflow._id, ownerId: workflow.ownerId, erasedVersions: { $ne: version } },
      { ...this.#loosen(), $push: { erasedVersions: version } },
    );
    if (matchedCount === 0) throw workflowNotFound();
    await this.#versions.deleteOne(erased);
    return workflow;
  }

  async #clearFiles(workflowId: string): Promise<void> {
    const live = await this.#workflows.findOne({ _id: workflowId });
    const erased = (live?.erasedVersions ?? []).map((version) => workflowVersionId(workflowId, version));
    if (erased.length > 0) await this.#versions.deleteMany({ _id: { $in: erased } });
    const kept = await this.#versions.find({ workflowId }).project<{ files: BundleFile[] }>({ files: 1 }).toArray();
    const named = [...kept.flatMap(({ files }) => files), ...(live?.current?.files ?? [])];
    const before = this.#in(-UNDER_WAY_MS);
    await this.#deps.bundles.clearUnused(workflowId, new Set(named.map(({ sha256 }) => sha256)), before);
  }

  async #eraseRest(workflowId: string): Promise<void> {
    await this.#versions.deleteMany({ workflowId });
    await this.#deps.bundles.clearAll(workflowId);
    await this.#deps.gone(workflowId);
  }

  /** Clears away files that no version names, once no save can be about to name them. */
  async sweepLoose(): Promise<void> {
    const loose = await this.#workflows
      .find({ looseFrom: { $lte: this.#deps.now() } })
      .project<{ _id: string; looseFrom: Date }>({ looseFrom: 1 })
      .sort({ looseFrom: 1 })
      .limit(SWEPT_AT_ONCE)
      .toArray();
    for (const { _id, looseFrom } of loose) {
      await this.#clearFiles(_id);
      // One that was marked again meanwhile comes up again.
      await this.#workflows.updateOne({ _id, looseFrom }, { $unset: { looseFrom: 1 } });
    }
  }

  /** Finishes erasures that died half-way, and takes away what saves wrote that were under way. */
  async sweepErased(): Promise<void> {
    const now = this.#deps.now();
    const dropBefore = this.#in(-UNDER_WAY_MS);
    // All of them: what is swept stays for a while, and must not stand before what is not.
    const erased = this.#tombstones
      .find({ erasedAt: { $lte: now } })
      .sort({ erasedAt: 1 })
      .batchSize(SWEPT_AT_ONCE);
    for await (const { _id, erasedAt, copies } of erased) {
      await this.#eraseRest(_id);
      if (copies) await this.#deps.dropCopies(copies);
      if (erasedAt <= dropBefore) await this.#tombstones.deleteOne({ _id });
    }
  }
}

type Filled = SaveRequest & { name: string };

/** What the request says goes before what the body's front matter says. */
function filledIn(request: SaveRequest): Filled {
  const matter = readFrontMatter(request.body);
  const given = Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== null && value !== undefined),
  );
  const { name, ...rest } = checked(saveRules, { ...matter, ...given });
  if (!name) throw Problem.invalid('name', 'is required, in the request or in the front matter of the body');
  return { ...rest, name: name.trim() };
}

interface Made {
  files: BundleFile[] | null;
  verifiers: WorkflowVersion['verifiers'];
  imageGenerators: WorkflowVersion['imageGenerators'];
  savedBy: string;
  at: Date;
}

function nextVersion(before: WorkflowVersion | null, request: Filled, made: Made): WorkflowVersion {
  return {
    version: (before?.version ?? 0) + 1,
    name: request.name,
    description: request.description ?? before?.description ?? '',
    outcome: request.outcome ?? before?.outcome ?? '',
    tags: request.tags ?? before?.tags ?? [],
    body: request.body,
    files: made.files ?? before?.files ?? [],
    verifiers: made.verifiers,
    imageGenerators: made.imageGenerators,
    source: request.source ?? null,
    savedBy: made.savedBy,
    createdAt: made.at,
  };
}

function firstOf({
  current,
  ...workflow
}: Pick<WorkflowDocument, '_id' | 'ownerId' | 'slug' | 'current' | 'parent'>): WorkflowDocument {
  return {
    ...workflow,
    status: WorkflowStatus.LIVE,
    current,
    versionToken: randomToken(),
    grants: [],
    grantsRev: 0,
    words: wordsOf(current),
    createdAt: current.createdAt,
    updatedAt: current.createdAt,
  };
}

function wordsOf({ name, description, outcome, tags }: WorkflowVersion): string[] {
  return searchWords(name, ...tags, outcome, description);
}

function matching({ tag, search, includeArchived }: Omit<ListFilter, 'whose'>): Record<string, unknown> {
  const words = searchedWords(search);
  return {
    ...(!includeArchived && { status: WorkflowStatus.LIVE }),
    ...(tag && { 'current.tags': tag }),
    ...(words.length > 0 && { words: { $all: words } }),
  };
}

function staleToken({ versionToken, status }: WorkflowDocument): Problem {
  if (status === WorkflowStatus.ARCHIVED) return new Problem('conflict', 'The workflow is archived.');
  return conflict(
    'Another version was saved meanwhile: expected_version_token is not the latest token.',
    versionToken,
    {
      hint: 'Fetch the workflow, carry your changes over to what is there, and save with its token.',
    },
  );
}

/** Said to somebody who may not know that there is one: the token alone would lead them to save over it. */
function takenSlug(workflow: WorkflowDocument): Problem {
  const { slug, status, current, versionToken } = workflow;
  if (status === WorkflowStatus.ARCHIVED) return staleToken(workflow);
  const message = `There is a workflow of the slug ${slug} already, and expected_version_token was left out.`;
  const hint = `To save a version after ${current.version} of it send its latest token; to make another workflow send another slug.`;
  return conflict(message, versionToken, { hint });
}

function conflict(message: string, token: string | null, { hint }: { hint?: string } = {}): Problem {
  return new Problem('conflict', message, { ...(hint && { hint }), extra: { current_version_token: token } });
}
