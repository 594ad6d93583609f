/** Workflows found by what they are for: among those that the caller may see at this moment, and no others. */
import { LRUCache } from 'lru-cache';
import type { Collection, Db, Filter } from 'mongodb';
import type { Scope } from '../../../platform/scope.js';
import type { Encoder } from '../embedding/encoder.js';
import { type Query, readQuery } from '../search/query.js';
import type { Ranked } from '../search/search-index.js';
import { type Source, SyncedIndex } from '../search/synced-index.js';
import { accessOf, sharedWith, type Viewer, visibleTo } from './workflow.access.js';
import { BY_CONTENT, WORKFLOWS, type WorkflowDocument, WorkflowStatus } from './workflow.model.js';
import type { FoundWorkflow, WorkflowService } from './workflow.service.js';

export interface WorkflowSearchDeps {
  db: Db;
  workflows: Pick<WorkflowService, 'viewerOf'>;
  encoder: Encoder;
}

export interface Hits<T> {
  query: Query;
  hits: { score: number; found: T }[];
}

// About a kilobyte each.
const REMEMBERED_WORKFLOWS = 50_000;

export class WorkflowSearch {
  readonly #deps: WorkflowSearchDeps;
  readonly #workflows: Collection<WorkflowDocument>;
  /** What each viewer could see when they searched last. It is compared with what they can see before it is used. */
  readonly #indexes = new LRUCache<string, SyncedIndex>({
    maxSize: REMEMBERED_WORKFLOWS,
    sizeCalculation: ({ size }) => size + 1,
  });

  constructor(deps: WorkflowSearchDeps) {
    this.#deps = deps;
    this.#workflows = deps.db.collection<WorkflowDocument>(WORKFLOWS.name);
  }

  async find(scope: Scope, given: unknown): Promise<Hits<FoundWorkflow>> {
    const viewer = await this.#deps.workflows.viewerOf(scope);
    const query = await readQuery(this.#deps.encoder, given);
    const index = await this.#indexFor(viewer);
    return { query, hits: await this.#read(viewer, index.rank(query, query.limit)) };
  }

  async #indexFor(viewer: Viewer): Promise<SyncedIndex> {
    // The source speaks for the viewer of this moment, whose teams may be others than last time.
    const known = this.#indexes.get(viewer.userId);
    const index = known ?? new SyncedIndex(this.#deps.encoder.model);
    await index.follow(this.#source(viewer));
    this.#indexes.set(viewer.userId, index);
    return index;
  }

  #source(viewer: Viewer): Source {
    const status = WorkflowStatus.LIVE;
    const own = { ownerId: viewer.userId, status };
    const shared = { ...sharedWith(viewer), status } as Filter<WorkflowDocument>;
    const projection = { 'current.version': 1 };
    return {
      list: async () => {
        const parts = [
          this.#workflows.find(own, { projection, hint: BY_CONTENT }),
          this.#workflows.find(shared, { projection }),
        ];
        const stamps = new Map<string, string>();
        for (const found of parts) {
          for await (const { _id, current } of found) stamps.set(_id, String(current.version));
        }
        return stamps;
      },
      load: async (ids) => {
        const of = (...fields: string[]) => Object.fromEntries(fields.map((field) => [`current.${field}`, 1]));
        const projection = of('version', 'name', 'description', 'outcome', 'tags', 'embedding');
        const filter = { _id: { $in: [...ids] }, ownerId: { $exists: true } };
        const found = await this.#workflows.find(filter, { projection }).toArray();
        return found.map(({ _id, current }) => ({
          id: _id,
          stamp: String(current.version),
          findable: current,
          embedding: current.embedding,
        }));
      },
    };
  }

  /** As they are now, and as far as they may be seen now. */
  async #read(viewer: Viewer, ranked: readonly Ranked[]): Promise<Hits<FoundWorkflow>['hits']> {
    const filter = { _id: { $in: ranked.map(({ id }) => id) }, status: WorkflowStatus.LIVE, ...visibleTo(viewer) };
    const found = await this.#workflows.find(filter as Filter<WorkflowDocument>).toArray();
    const byId = new Map(found.map((workflow) => [workflow._id, workflow]));
    return ranked.flatMap(({ id, score }) => {
      const workflow = byId.get(id);
      const access = workflow && accessOf(viewer, workflow);
      return access ? { score, found: { workflow, access } } : [];
    });
  }
}
