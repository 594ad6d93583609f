/** What images ask the database: a page deep in a long list costs what the first one does, and nothing scans a collection. */
import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { encodeCursor } from '../../platform/mongo/page.js';
import { ObjectStore } from '../../platform/s3.js';
import { type Caller, type Scope, wholeAccount } from '../../platform/scope.js';
import { Secrets } from '../../platform/secrets.js';
import type { ImagesContext } from '../../subgraphs/images/context.js';
import type { ImageDocument, LiveImage } from '../../subgraphs/images/image/image.model.js';
import { ServingTokens } from '../../subgraphs/images/serving/tokens.js';
import { STORAGE, type StorageDocument } from '../../subgraphs/images/storage/storage.model.js';
import { createImages, type ImagesSubgraph } from '../../subgraphs/images/subgraph.js';
import { lookUpsOf, openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import { SECRET_KEY } from '../support/platform.js';
import { imagesDeps } from './support/deps.js';
import { smallPng } from './support/pictures.js';

const COUNT = 100_000;
const PAGE = 100;
const now = new Date('2026-05-05T00:00:00Z');
const owner = newId();
/** An id from before then. */
const EARLIER = '019b76da-a800-7000-8000-000000000000';
const tokens = ServingTokens.of(new Secrets(SECRET_KEY));

let database: TestDatabase;
let images: ImagesSubgraph;
let context: ImagesContext;
let caller: Caller;
const ids: string[] = [];
let picture: Buffer;

function image(i: number): LiveImage {
  const _id = newId();
  ids.push(_id);
  return {
    _id,
    state: 'live',
    ownerId: owner,
    token: _id,
    sha256: '',
    extension: 'png',
    visibility: i % 3 ? 'public' : 'private',
    source: i % 4 ? 'upload' : 'generated',
    contentType: 'image/png',
    sizeBytes: 10,
    width: 1,
    height: 1,
    createdAt: now,
    expiresAt: i % 5 ? null : new Date(now.getTime() + i * 1000 + 1000),
  };
}

beforeAll(async () => {
  picture = await smallPng();
  database = await openDatabase();
  const options = { endpoint: 'http://127.0.0.1:1', region: 'none', bucket: 'none', forcePathStyle: true };
  const store = new ObjectStore({ ...options, credentials: undefined });
  images = await createImages(imagesDeps(database.db, store, () => now, { storageQuota: 10_000 }));
  const collection = database.db.collection<ImageDocument>('images_images');
  for (let i = 0; i < COUNT; i += 10_000) {
    await collection.insertMany(Array.from({ length: 10_000 }, (_, n) => image(i + n)));
  }
  const me = { userId: owner, keyId: newId(), email: 'a@example.com', handle: null, handleClaimedAt: null };
  caller = { ...me, ...wholeAccount(owner), createdAt: now, suspended: false };
  const scope: Scope = { requestId: 'r', network: 'n', caller, internal: false };
  context = images.context(scope) as ImagesContext;
});
afterAll(() => database?.close());

/** How the engine ran each command of an action that looks something up. */
async function plansOf(action: () => Promise<unknown>): Promise<Document[]> {
  const commands = await database.commandsOf(() => action().catch(() => undefined));
  return Promise.all(
    commands.flatMap((command) => {
      const filter = command['updates']?.[0]?.q ?? command['deletes']?.[0]?.q ?? command['query'];
      const names = [command['update'], command['delete'], command['findAndModify']];
      // The update of a findAndModify goes by the name of another command.
      const name = names.find((candidate) => typeof candidate === 'string');
      if (name !== undefined) return [database.explain({ find: name, filter })];
      if (command['bulkWrite'] !== undefined) return lookUpsOf(command).map((lookUp) => database.explain(lookUp));
      return command['find'] !== undefined || command['aggregate'] !== undefined ? [database.explain(command)] : [];
    }),
  );
}

describe('100,000 images of one account', () => {
  it.each([
    ['all', {}, PAGE + 1],
    ['uploaded', { source: 'upload' as const }, PAGE + 1],
    ['private', { visibility: 'private' as const }, PAGE + 1],
    // Two filters share the index of one of them.
    ['uploaded and private', { source: 'upload' as const, visibility: 'private' as const }, 4 * PAGE],
  ])('are listed at the same cost on page 1 and page 1,000: %s', async (_name, filter, most) => {
    const examined: number[] = [];
    for (const after of [null, encodeCursor(ids[2 * PAGE + 1] ?? '')]) {
      const [plan] = await plansOf(() => context.images.list(owner, { ...filter, first: PAGE, after }));
      const stages = stagesOf(plan?.['queryPlanner'].winningPlan);
      expect(stages).toContain('IXSCAN');
      expect(stages).not.toContain('SORT');
      examined.push(plan?.['executionStats'].totalDocsExamined);
    }
    for (const documents of examined) expect(documents).toBeLessThanOrEqual(most);
  });

  it('page 1,000 is the last one', async () => {
    const after = encodeCursor(ids[PAGE] ?? '');
    const page = await context.images.list(owner, { first: PAGE, after });
    expect([page.items.length, page.hasNextPage, page.items.at(-1)?._id]).toEqual([PAGE, false, ids[0]]);
    const [first] = await plansOf(() => context.images.list(owner, { first: PAGE }));
    const [last] = await plansOf(() => context.images.list(owner, { first: PAGE, after }));
    const cost = (plan?: Document) => plan?.['executionStats'].totalDocsExamined;
    expect([cost(first), cost(last)]).toEqual([PAGE + 1, PAGE]);
  });
});

describe('no command scans a collection', () => {
  const input = () => ({ jobId: newId(), role: 'image' as const, ownerId: null, expiresAt: now, bytes: picture });
  const named = () => ids.slice(0, 2).map((id) => tokens.make({ id, sizeBytes: 1 }));
  const operations: [string, () => Promise<unknown>][] = [
    ['serving', () => images.door.find(newId(), 'r')],
    ['serving what the token names', () => images.door.find(tokens.make({ id: EARLIER, sizeBytes: 1 }), 'r')],
    ['serving several at the same time', () => Promise.all([newId(), newId()].map((id) => images.door.find(id, 'r')))],
    ['serving what several tokens name', () => Promise.all(named().map((token) => images.door.find(token, 'r')))],
    ['the outputs of a run', () => images.door.outputsOf(newId(), 'r')],
    ['loading', () => context.images.find(ids[0] ?? '', context.imageLoader, context.scope)],
    ['changing', () => context.images.update(caller, ids[0] ?? '', { visibility: 'public' })],
    ['deleting', () => context.images.delete(caller, ids[1] ?? '')],
    ['an asset', () => images.assets.find('a'.repeat(64), null, 'r')],
    ['assets of the graph', () => context.assetLoader.loadMany(['a'.repeat(64), 'b'.repeat(64)])],
    ['whose an asset is', () => context.assetOwnershipLoader.load('a'.repeat(64))],
    ['an input of a job', () => images.assets.readInput(newId(), 'image', 'r')],
    ['prolonging inputs', () => images.assets.keepInputsUntil(newId(), now, 'r')],
    ['dropping a job', () => images.assets.drop(newId(), 'r')],
    ['keeping an input', () => images.assets.keepInput(input(), 'r')],
    ['sweeping', () => Promise.all(images.tasks.map(({ run }) => run(new AbortController().signal)))],
    [
      'uploading',
      () =>
        context.uploads.upload(
          {
            bytes: (async function* () {
              yield Buffer.from('no picture at all');
            })(),
            settings: async () => ({ visibility: 'private', ttlSeconds: null }),
            idempotencyKey: 'k',
          },
          context.scope,
        ),
    ],
  ];

  it.each(operations)('%s', async (_name, operation) => {
    const plans = await plansOf(operation);
    expect(plans.length).toBeGreaterThan(0);
    for (const plan of plans) expect(stagesOf(plan['queryPlanner'] ?? plan)).not.toContain('COLLSCAN');
  });
});

/** Of all objects within a plan, what they have by that name. */
function allOf(plan: unknown, name: string): unknown[] {
  if (typeof plan !== 'object' || plan === null) return [];
  return Object.entries(plan).flatMap(([key, value]) => (key === name ? [value] : allOf(value, name)));
}

it('what a token names is found by its id, and by the token only where that is of no use', async () => {
  const collection = database.db.collection<ImageDocument>('images_images');
  const token = tokens.make({ id: EARLIER, sizeBytes: 1 });
  const filtersOf = async (asked: string) => {
    const commands = await database.commandsOf(() => images.door.find(asked, 'r'));
    return commands.map(({ filter }) => filter);
  };
  await collection.insertOne({ ...image(0), _id: EARLIER, token, expiresAt: null });
  expect((await images.door.find(token, 'r'))?.id).toBe(EARLIER);
  expect(await filtersOf(token)).toEqual([{ _id: EARLIER }]);
  const other = tokens.make({ id: EARLIER, sizeBytes: 1 });
  expect(await images.door.find(other, 'r')).toBeNull();
  expect(await filtersOf(other)).toEqual([{ _id: EARLIER }, { token: other }]);
  expect(await filtersOf('x')).toEqual([{ token: 'x' }]);
});

it('an upload to a full account finds what it may have back by indexes alone', async () => {
  const base = { ownerId: owner, source: 'upload' as const, createdAt: now };
  const expired = { ...image(0), expiresAt: new Date(now.getTime() - 1000) };
  const dead: ImageDocument = { ...base, _id: newId(), state: 'dead', purgeAt: now, released: false };
  await database.db.collection<ImageDocument>('images_images').insertMany([expired, dead]);
  const storage = database.db.collection<StorageDocument>(STORAGE.name);
  const full = { bytes: 10_000, holds: [], counts: 0, version: 0 };
  await storage.replaceOne({ _id: owner }, full, { upsert: true });
  const upload = async () => {
    async function* bytes() {
      yield picture;
    }
    const settings = async () => ({ visibility: 'private' as const, ttlSeconds: null });
    await context.uploads.upload({ bytes: bytes(), settings, idempotencyKey: null }, context.scope);
  };
  const plans = await plansOf(upload);
  const used = plans.flatMap((plan) => allOf(allOf(plan, 'winningPlan'), 'indexName'));
  expect(used).toEqual(expect.arrayContaining(['ending_of_owner', 'dead_of_owner', 'live_of_owner_size']));
  for (const plan of plans) {
    expect(stagesOf(allOf(plan, 'winningPlan'))).not.toContain('COLLSCAN');
    for (const examined of allOf(plan, 'totalDocsExamined')) expect(examined).toBeLessThanOrEqual(2);
  }
  // Found, and counted anew: the account has more than fits.
  expect(await database.db.collection<ImageDocument>('images_images').findOne({ _id: expired._id })).toMatchObject({
    state: 'dead',
    released: true,
  });
  expect((await storage.findOne({ _id: owner }))?.counts).toBeGreaterThan(0);
});
