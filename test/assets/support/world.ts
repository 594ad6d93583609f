/** The images subgraph over engines of its own, with a clock that tests turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { openEmbeddedS3 } from '../../../platform/embedded/s3.js';
import { newId } from '../../../platform/ids.js';
import { ObjectStore } from '../../../platform/s3.js';
import {
  ASSET_OBJECT_PREFIX,
  ASSET_REFERENCES,
  ASSETS,
  type AssetDocument,
  type AssetReference,
  assetKey,
  GONE_HOLDERS,
  type GoneHolder,
} from '../../../subgraphs/images/asset/asset.model.js';
import type { InputToKeep, KeptOutput, OutputToKeep } from '../../../subgraphs/images/asset-client.js';
import { createImages, type ImagesDeps, type ImagesSubgraph } from '../../../subgraphs/images/subgraph.js';
import { imagesDeps } from '../../images/support/deps.js';
import { openDatabase } from '../../support/database.js';

export type World = Awaited<ReturnType<typeof openWorld>>;

const DAY_MS = 24 * 60 * 60_000;

export async function openWorld() {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-assets-'));
  const database = await openDatabase();
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'darkroom' });
  const store = new ObjectStore({ ...s3, bucket: 'darkroom', forcePathStyle: true, credentials: s3 });
  const opened: ImagesSubgraph[] = [];
  const { db } = database;
  let offset = 0;
  const now = () => new Date(Date.now() + offset);

  return {
    ...database,
    store,
    /** How another process gets at the bucket. */
    bucket: s3,
    now,
    collections: collectionsOf(db),
    /** The same subgraph again, as another process has it; over another view of the database or the bucket. */
    async open(settings: Partial<ImagesDeps['settings']> = {}, view: { db?: Db; store?: ObjectStore } = {}) {
      const images = await createImages(imagesDeps(view.db ?? db, view.store ?? store, now, settings));
      opened.push(images);
      return images;
    },
    pass(ms: number) {
      offset += ms;
    },
    output(bytes: Uint8Array, more: Partial<OutputToKeep> = {}): OutputToKeep {
      return {
        jobId: newId(),
        ownerId: null,
        expiresAt: new Date(now().getTime() + 30 * DAY_MS),
        source: { bytes },
        format: 'webp',
        quality: 85,
        size: null,
        preset: null,
        removeBackground: false,
        ...more,
      };
    },
    input(bytes: Uint8Array, more: Partial<InputToKeep> = {}): InputToKeep {
      const expiresAt = new Date(now().getTime() + DAY_MS);
      return { jobId: newId(), role: 'image', ownerId: null, expiresAt, bytes, ...more };
    },
    async close() {
      for (const images of opened) await images.close();
      store.close();
      await s3.close();
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function collectionsOf(db: Db) {
  return {
    assets: db.collection<AssetDocument>(ASSETS.name),
    references: db.collection<AssetReference>(ASSET_REFERENCES.name),
    goneHolders: db.collection<GoneHolder>(GONE_HOLDERS.name),
  };
}

export async function keep(images: ImagesSubgraph, output: OutputToKeep): Promise<KeptOutput> {
  const result = await images.assets.keepOutput(output, 'test');
  if ('failed' in result) throw new Error(`${result.failed.step}: ${result.failed.message}`);
  return result.kept;
}

export async function sweep(images: ImagesSubgraph): Promise<void> {
  const task = images.tasks.find(({ name }) => name === 'images-assets-sweep');
  await task?.run(new AbortController().signal);
}

export async function objectsIn(store: ObjectStore): Promise<string[]> {
  const all: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: { keys: string[]; next: string | null } = await store.list(ASSET_OBJECT_PREFIX, after, 1000);
    all.push(...page.keys);
    after = page.next;
    if (after === null) return all.sort();
  }
}

/** What does not add up between records, references and the bucket once all has been swept. */
export async function flaws(db: Db, store: ObjectStore): Promise<string[]> {
  const { assets, references } = collectionsOf(db);
  const [records, reasons, objects] = await Promise.all([
    assets.find().toArray(),
    references.find().toArray(),
    objectsIn(store),
  ]);
  const live = records.filter(({ state }) => state === 'live');
  const wanted = new Set(reasons.filter(({ state }) => state === 'live').map(({ address }) => address));
  const present = new Set(live.map(({ address }) => address));
  const keys = new Set(live.map(({ _id }) => assetKey(_id)));
  const stored = new Set(objects);
  return [
    ...records.filter(({ state }) => state !== 'live').map(({ _id, state }) => `asset ${_id} is ${state}`),
    ...reasons.filter(({ state }) => state !== 'live').map(({ _id, state }) => `reference ${_id} is ${state}`),
    ...live.filter(({ address }) => !wanted.has(address)).map(({ address }) => `nothing refers to ${address}`),
    ...[...wanted].filter((address) => !present.has(address)).map((address) => `${address} is referred to and gone`),
    ...objects.filter((key) => !keys.has(key)).map((key) => `no record of object ${key}`),
    ...[...keys].filter((key) => !stored.has(key)).map((key) => `no object ${key}`),
  ];
}
