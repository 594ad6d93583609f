import type { Collection, Db, Filter } from 'mongodb';
import { findBatch } from '../../../platform/mongo/batch.js';
import {
  decodeCursor,
  encodeCursor,
  type Page,
  type PageRequest,
  pageOf,
  pageSize,
} from '../../../platform/mongo/page.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import { searchedWords } from '../workflow/workflow.rules.js';
import { TEMPLATES, type TemplateDocument, TemplateStatus } from './template.model.js';

export interface TemplateList {
  mine?: boolean | null;
  search?: string | null;
  /** The caller's own archived ones too. */
  includeArchived?: boolean | null;
}

export class TemplateLists {
  readonly #templates: Collection<TemplateDocument>;

  constructor(db: Db) {
    this.#templates = db.collection<TemplateDocument>(TEMPLATES.name);
  }

  /** Newest first. What others cannot find is in nobody's list, but for what its owner put away. */
  async page(scope: Scope, { mine, search, includeArchived }: TemplateList, request: PageRequest) {
    const size = pageSize(request);
    const ownerId = mine ? requireCaller(scope).userId : scope.caller?.userId;
    const words = searchedWords(search);
    const also = {
      ...(words.length > 0 && { words: { $all: words } }),
      ...(request.after && { _id: { $lt: decodeCursor(request.after) } }),
    };
    const listed = { ...(mine && { ownerId }), listed: true, ...also };
    const archived = { ownerId, status: TemplateStatus.ARCHIVED, ...also };
    const filter = includeArchived && ownerId !== undefined ? { $or: [listed, archived] } : listed;
    // What stays in the store can be long, and no list shows it.
    const projection = { live: 0, livePins: 0, words: 0 };
    const options = { projection, sort: { _id: -1 as const }, limit: size + 1 };
    const found = await findBatch<TemplateDocument>(this.#templates, filter as Filter<TemplateDocument>, options);
    const page: Page<TemplateDocument> = pageOf(found, size, ({ _id }) => encodeCursor(_id));
    return page;
  }
}
