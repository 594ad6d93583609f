/** The lists of images, generators and jobs: on an index, from the first page to the last, and without N+1. */
import { type ExecutionResult, graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, UserId } from '../../platform/ids.js';
import { ObjectStore } from '../../platform/s3.js';
import { type Scope, wholeAccount } from '../../platform/scope.js';
import type { Subgraph } from '../../platform/subgraph.js';
import type { BillingContext } from '../../subgraphs/billing/context.js';
import { createBilling } from '../../subgraphs/billing/subgraph.js';
import type { LiveImage } from '../../subgraphs/images/image/image.model.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import type { GeneratorDocument } from '../../subgraphs/registry/generator/generator.model.js';
import { JOBS } from '../../subgraphs/registry/job/job.model.js';
import { VersionedStatus } from '../../subgraphs/registry/versioned/versioned.model.js';
import { billingDeps } from '../billing/support/settings.js';
import { imagesDeps } from '../images/support/deps.js';
import { openRegistry } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import { queued } from '../support/jobs.js';

const COUNT = 2_000;
const owner = newId();
const stranger = newId();
const now = new Date('2026-05-05T00:00:00Z');

let database: TestDatabase;
let images: Subgraph;
let registry: Subgraph;
let billing: Subgraph;

function scopeOf(userId: string | null): Scope {
  const caller = userId && {
    userId,
    keyId: newId(),
    ...wholeAccount(userId),
    email: 'a@example.com',
    handle: null,
    handleClaimedAt: null,
    createdAt: now,
    suspended: false,
  };
  return { requestId: 'test', network: '127.0.0.1', caller: caller || null, internal: false };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member.
async function run(subgraph: Subgraph, source: string, variables = {}, userId: string | null = owner): Promise<any> {
  const contextValue = subgraph.context(scopeOf(userId));
  const result: ExecutionResult = await graphql({
    schema: subgraph.schema,
    source,
    variableValues: variables,
    contextValue,
  });
  expect(result.errors).toBeUndefined();
  return result.data;
}

function image(ownerId: string, i: number): LiveImage {
  return {
    _id: newId(),
    state: 'live',
    ownerId,
    token: newId(),
    sha256: newId(),
    extension: 'png',
    visibility: i % 2 ? 'public' : 'private',
    source: 'upload',
    contentType: 'image/png',
    sizeBytes: 10,
    width: 1,
    height: 1,
    createdAt: now,
    expiresAt: null,
  };
}

function generator(ownerId: string, i: number): GeneratorDocument {
  return {
    _id: newId(),
    ownerId,
    name: `g-${i}`,
    status: i % 10 === 0 ? VersionedStatus.REVOKED : VersionedStatus.ACTIVE,
    current: {
      version: 1,
      description: '',
      config: { model: 'local/atelier', provider: 'local', generationContract: 'text_to_image', defaultParams: {} },
      configHash: '',
      createdAt: now,
    },
    versionToken: 'token',
    createdAt: now,
    updatedAt: now,
  };
}

beforeAll(async () => {
  database = await openDatabase();
  const { db } = database;
  const options = { endpoint: 'http://127.0.0.1:1', region: 'none', bucket: 'none', forcePathStyle: true };
  const store = new ObjectStore({ ...options, credentials: undefined });
  images = await createImages(imagesDeps(db, store, () => now));
  registry = await openRegistry(db);
  billing = await createBilling(billingDeps(db, () => now));
  const both = (make: (ownerId: string, i: number) => object) =>
    Array.from({ length: COUNT }, (_, i) => [make(owner, i), make(stranger, i)]).flat();
  await db.collection('images_images').insertMany(both(image));
  await db.collection('registry_generators').insertMany(both(generator));
  await db.collection(JOBS.name).insertMany(both((ownerId) => queued(ownerId)));
});
afterAll(() => database?.close());

const LISTS = [
  [
    'images',
    () => images,
    'query ($after: String) { images(first: 20, after: $after) { nodes { id } nextCursor } }',
    COUNT,
  ],
  [
    'imageGenerators',
    () => registry,
    'query ($after: String) { imageGenerators(first: 20, after: $after) { nodes { id } nextCursor } }',
    COUNT * 0.9,
  ],
  [
    'jobs',
    () => registry,
    'query ($after: String) { jobs(first: 20, after: $after) { nodes { id } nextCursor } }',
    COUNT,
  ],
] as const;

describe.each(LISTS)('%s', (field, subgraph, query, total) => {
  it('gives every item once, newest first, and ends', async () => {
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const data: Record<string, { nodes: { id: string }[]; nextCursor: string | null }> = await run(
        subgraph(),
        query,
        { after },
      );
      ids.push(...(data[field]?.nodes.map(({ id }) => id) ?? []));
      after = data[field]?.nextCursor ?? null;
    } while (after !== null);
    expect(ids).toHaveLength(total);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  it('examines a page, not the list, on the first page and deep in it', async () => {
    let after: string | null = null;
    for (let page = 0; page < 80; page++) {
      const variables = { after };
      let data: Record<string, { nextCursor: string | null }> = {};
      const commands = await database.commandsOf(async () => {
        data = await run(subgraph(), query, variables);
      });
      after = data[field]?.nextCursor ?? null;
      if (page !== 0 && page !== 79) continue;
      expect(commands).toHaveLength(1);
      const plan = await database.explain(commands[0] ?? {});
      const stages = stagesOf(plan['queryPlanner'].winningPlan);
      expect(stages).toContain('IXSCAN');
      expect(stages).not.toContain('COLLSCAN');
      expect(stages).not.toContain('SORT');
      expect(plan['executionStats'].totalDocsExamined).toBeLessThanOrEqual(21);
    }
  });
});

describe('entities', () => {
  it('of one request are loaded with one command', async () => {
    const ids = (await run(images, '{ images(first: 10) { nodes { id } } }')).images.nodes.map(
      ({ id }: { id: string }) => id,
    );
    const representations = ids.map((id: string) => ({ __typename: 'Image', id }));
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Image { url } } }';
    const commands = await database.commandsOf(() => run(images, query, { r: representations }));
    expect(commands).toHaveLength(1);
    expect(stagesOf((await database.explain(commands[0] ?? {}))['queryPlanner'])).not.toContain('COLLSCAN');
  });

  it('of somebody else, or expired, are as missing as those that never were', async () => {
    const { id } = (await run(images, '{ images(first: 1) { nodes { id } } }')).images.nodes[0];
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Image { url } } }';
    const found = async (imageId: string, userId = owner) => {
      const r = [{ __typename: 'Image', id: imageId }];
      return (await run(images, query, { r }, userId))._entities[0];
    };
    expect(await found(id)).not.toBeNull();
    expect(await found(id, stranger)).toBeNull();
    expect(await found(newId())).toBeNull();
    await database.db.collection<LiveImage>('images_images').updateOne({ _id: id }, { $set: { expiresAt: now } });
    expect(await found(id)).toBeNull();
    expect((await run(images, '{ images(first: 1) { nodes { id } } }')).images.nodes[0].id).not.toBe(id);
  });

  it('tell only oneself one’s tier', async () => {
    const query = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { tier { slug } } } }';
    const r = [{ __typename: 'User', id: UserId.format(owner) }];
    expect((await run(billing, query, { r }))._entities).toEqual([{ tier: { slug: 'hobby' } }]);
    const { moneyIn } = billing.context(scopeOf(null)) as BillingContext;
    await moneyIn.setTier({ userId: owner, createdAt: now }, { source: 'test', tier: 'pro' });
    expect((await run(billing, query, { r }))._entities).toEqual([{ tier: { slug: 'pro' } }]);
    expect((await run(billing, query, { r }, stranger))._entities).toEqual([{ tier: null }]);
    expect((await run(billing, query, { r }, null))._entities).toEqual([{ tier: null }]);
  });
});
