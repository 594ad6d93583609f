/** The log of what operators do. An act is on record before anything is done, so none can be done unseen. */
import { isDeepStrictEqual } from 'node:util';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { PlainId } from '../../../platform/ids.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { retryOnDuplicate } from '../../../platform/mongo/writes.js';
import type { ActDoc } from './act.model.js';

export interface ActServiceDeps {
  acts: Collection<ActDoc>;
  now: () => Date;
}

export type ActRequest = Pick<ActDoc, 'kind' | 'operator' | 'userId' | 'details'> & { id: string };

export class ActService {
  readonly #acts: Collection<ActDoc>;
  readonly #now: () => Date;

  constructor({ acts, now }: ActServiceDeps) {
    this.#acts = acts;
    this.#now = now;
  }

  /** The act on record; with its result when it is done already. */
  async begin({ id, kind, operator, userId, details }: ActRequest): Promise<ActDoc> {
    const _id = PlainId.parse(id);
    if (_id === null) throw Problem.invalid('act', 'must be a UUID');
    const fresh: Omit<ActDoc, '_id'> = {
      kind,
      operator,
      userId,
      details,
      begunAt: this.#now(),
      doneAt: null,
      result: null,
    };
    const act = await retryOnDuplicate(() =>
      this.#acts.findOneAndUpdate({ _id }, { $setOnInsert: fresh }, { upsert: true, returnDocument: 'after' }),
    );
    if (!act) throw new Error('an upsert returned nothing');
    if (act.kind !== kind || act.userId !== userId || !isDeepStrictEqual(act.details, details)) {
      throw new Problem('conflict', 'This act id stands for another act. See darkroom admin audit.');
    }
    return act;
  }

  async finish(_id: string, result: Record<string, unknown>): Promise<void> {
    await this.#acts.updateOne({ _id, doneAt: null }, { $set: { doneAt: this.#now(), result } });
  }

  /** The newest first. */
  list(userId: string | null, page: PageRequest): Promise<Page<ActDoc>> {
    return findPage(this.#acts, userId === null ? {} : { userId }, page);
  }
}
