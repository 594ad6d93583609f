/** Pages of the lists of many owners, with one command where they all ask for the same kind of page. */
import DataLoader from 'dataloader';
import type { Collection, Document } from 'mongodb';
import type { Page, PageRequest } from './page.js';

export interface PageOfOwner extends PageRequest {
  ownerId: string;
}

export type PageLoader<T> = DataLoader<PageOfOwner, Page<T>, string>;

const MAX_BATCH = 500;
const NONE: Page<never> = { items: [], cursorOf: () => '', hasNextPage: false };

/** `load` is given owners who all ask for the same page; one that it leaves out has nothing. */
export function pageLoader<T>(
  load: (ownerIds: readonly string[], request: PageRequest) => Promise<ReadonlyMap<string, Page<T>>>,
): PageLoader<T> {
  return new DataLoader<PageOfOwner, Page<T>, string>(
    async (keys) => {
      const groups = new Map<string, PageOfOwner[]>();
      for (const key of keys) groups.set(kindOf(key), [...(groups.get(kindOf(key)) ?? []), key]);
      const pages = new Map<PageOfOwner, Page<T> | Error>();
      const loads = [...groups.values()].map(async (alike) => {
        const { first, after } = alike[0] ?? {};
        const ids = alike.map(({ ownerId }) => ownerId);
        const found = await load(ids, { first: first ?? null, after: after ?? null }).catch((error: Error) => error);
        for (const key of alike) pages.set(key, found instanceof Error ? found : (found.get(key.ownerId) ?? NONE));
      });
      await Promise.all(loads);
      return keys.map((key) => pages.get(key) ?? NONE);
    },
    { maxBatchSize: MAX_BATCH, cacheKeyFn: ({ ownerId, ...page }) => `${ownerId} ${kindOf(page)}` },
  );
}

function kindOf({ first, after }: PageRequest): string {
  return JSON.stringify([first ?? null, after ?? null]);
}

export interface ItemsOfOwners {
  owners: Collection<Document>;
  /** Name of the collection that is listed. It must have an index over ownerField and sortField, descending. */
  items: string;
  ownerField: string;
  sortField: string;
  /** Only items below this one; null: from the first. */
  below: string | number | null;
  limit: number;
}

/** The greatest items of each owner, reading of each no more than the limit. */
export async function itemsOfOwners<T>(
  ids: readonly string[],
  { owners, items, ownerField, sortField, below, limit }: ItemsOfOwners,
): Promise<Map<string, T[]>> {
  const from = below === null ? [] : [{ $match: { [sortField]: { $lt: below } } }];
  const found = await owners
    .aggregate<{ _id: string; items: T[] }>([
      { $match: { _id: { $in: [...ids] } } },
      { $project: { _id: 1 } },
      {
        $lookup: {
          from: items,
          localField: '_id',
          foreignField: ownerField,
          pipeline: [...from, { $sort: { [sortField]: -1 } }, { $limit: limit }],
          as: 'items',
        },
      },
    ])
    .toArray();
  return new Map(found.map((owner) => [owner._id, owner.items]));
}
