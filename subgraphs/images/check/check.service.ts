/** Compares the bucket with the records, for operators: nothing should be in one and not in the other. */
import type { Collection } from 'mongodb';
import type { ObjectStore } from '../../../platform/s3.js';
import type { ImageEnd } from '../image/image.end.js';
import { type ImageDocument, imageIdOf, type LiveImage, OBJECT_PREFIX, objectKey } from '../image/image.model.js';

export interface CheckServiceDeps {
  images: Collection<ImageDocument>;
  store: ObjectStore;
  imageEnd: ImageEnd;
}

/** A page of a check. `next` continues it, and is null at its end. */
export interface Checked {
  checked: number;
  found: string[];
  next: string | null;
}

/** Of a page. */
export const KEYS = 1_000;
export const RECORDS = 200;

export class CheckService {
  readonly #deps: CheckServiceDeps;

  constructor(deps: CheckServiceDeps) {
    this.#deps = deps;
  }

  /** Objects without a record. A record comes before its object and goes after it, so such an object is nobody's. */
  async objects(after: string | null, mend: boolean): Promise<Checked> {
    const { images, store } = this.#deps;
    const { keys, next } = await store.list(OBJECT_PREFIX, after, KEYS);
    const ids = keys.flatMap((key) => imageIdOf(key) ?? []);
    const known = await images.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
    const wanted = new Set(known.map(({ _id }) => objectKey(_id)));
    const found = keys.filter((key) => !wanted.has(key));
    // A key that is none of ours is shown, and left to the operator.
    if (mend) for (const key of found) if (imageIdOf(key) !== null) await store.delete(key);
    return { checked: keys.length, found, next };
  }

  /** Live images without an object: their url answers nothing. */
  async records(after: string | null, mend: boolean): Promise<Checked> {
    const { images, store, imageEnd } = this.#deps;
    const page = await images
      .find(after === null ? {} : { _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(RECORDS)
      .toArray();
    const live = page.filter((image): image is LiveImage => image.state === 'live');
    const present = await Promise.all(live.map(({ _id }) => store.exists(objectKey(_id))));
    const missing = live.filter((_image, i) => !present[i]);
    if (mend) for (const image of missing) await imageEnd.retire(image);
    const next = page.length === RECORDS ? (page.at(-1)?._id ?? null) : null;
    return { checked: live.length, found: missing.map(({ _id }) => _id), next };
  }
}
