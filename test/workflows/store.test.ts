/** What dies half-way leaves no half of anything, and every list and look-up has its index. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { newId } from '../../platform/ids.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import type { Scope } from '../../platform/scope.js';
import { Bundles } from '../../subgraphs/registry/workflow/bundle.js';
import { PinReader } from '../../subgraphs/registry/workflow/pins.js';
import { WorkflowService } from '../../subgraphs/registry/workflow/workflow.service.js';
import { WORKFLOW_COLLECTIONS } from '../../subgraphs/registry/workflow/workflows.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { NO_TEAMS } from '../registry/support/nothing.js';
import { scopeOf } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let store: ObjectStore;
let closeStore: () => Promise<unknown>;
let now = new Date();
const ada = newId();
const scope: Scope = scopeOf(ada);

const pins = new PinReader({
  verifier: async () => null,
  generator: async () => null,
  isSystemVerifier: () => false,
});

function open(db: Db = database.db): WorkflowService {
  return new WorkflowService({
    db,
    bundles: new Bundles(store),
    memberships: NO_TEAMS,
    pins,
    dropCopies: async () => {},
    gone: async () => {},
    saved: () => {},
    now: () => now,
  });
}

let service: WorkflowService;
let nth = 0;
const unique = () => `workflow ${++nth}`;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-workflows-'));
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'test' });
  store = new ObjectStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: 'test',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  closeStore = async () => {
    store.close();
    await s3.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  database = await openDatabase();
  await ensureIndexes(database.db, WORKFLOW_COLLECTIONS);
  service = open();
});
afterAll(async () => {
  await database?.close();
  await closeStore?.();
});

async function objects(workflowId: string): Promise<number> {
  const listed = await store.client.send(
    new ListObjectsV2Command({ Bucket: store.bucket, Prefix: `workflows/${workflowId}/` }),
  );
  return listed.Contents?.length ?? 0;
}

async function leftOf(workflowId: string): Promise<number> {
  return (
    (await database.db.collection('registry_workflow_versions').countDocuments({ workflowId })) +
    (await objects(workflowId))
  );
}

async function history(id: string): Promise<string[]> {
  const { workflow, access } = await service.find(scope, id);
  return (await service.versions(workflow, access, 10, null)).map(({ version, body }) => `${version}${body}`);
}

describe('a save', () => {
  it('that dies before any of its writes leaves the workflow as it was, and the next one goes through', async () => {
    for (let call = 0; ; call++) {
      const name = unique();
      const { workflow } = await service.save(scope, { name, body: 'a', files: [{ path: 'f', content: name }] });
      const dying = interruptible(database.db);
      const { interrupted } = dying.interruptBefore(call);
      const next = {
        name,
        body: 'b',
        files: [{ path: 'g', content: `${name} b` }],
        expected_version_token: workflow.versionToken,
      };
      const ended = await Promise.race([
        open(dying.db)
          .save(scope, next)
          .then(() => true),
        interrupted.then(() => false),
      ]);
      if (ended) {
        expect(call).toBeGreaterThan(2);
        break;
      }
      expect(await history(workflow._id)).toEqual(['1a']);
      await service.save(scope, { ...next, body: 'c' });
      expect(await history(workflow._id)).toEqual(['2c', '1a']);
    }
  });
});

describe('an erasure', () => {
  it('that dies half-way is finished by the sweeper, or has not begun', async () => {
    for (let call = 0; ; call++) {
      const name = unique();
      const one = await service.save(scope, { name, body: 'a', files: [{ path: 'f', content: name }] });
      const { workflow } = await service.save(scope, {
        name,
        body: 'b',
        expected_version_token: one.workflow.versionToken,
      });
      const id = workflow._id;
      const dying = interruptible(database.db);
      const { interrupted } = dying.interruptBefore(call);
      const ended = await Promise.race([
        open(dying.db)
          .erase(scope, id)
          .then(() => true),
        interrupted.then(() => false),
      ]);
      if (ended) {
        expect(call).toBeGreaterThan(1);
        expect(await leftOf(id)).toBe(0);
        break;
      }
      await service.sweepErased();
      const left = await service.loader(scope).load(id);
      if (left) expect(await history(id)).toEqual(['2b', '1a']);
      else expect(await leftOf(id)).toBe(0);
    }
  });

  it('takes away what a save under way still wrote, and then forgets the workflow itself', async () => {
    const name = unique();
    const { workflow } = await service.save(scope, { name, body: 'a' });
    await service.erase(scope, workflow._id);
    await new Bundles(store).put(workflow._id, [{ path: 'late', bytes: Buffer.from('late'), sha256: 'late' }]);
    now = new Date(Date.now() + 2 * HOUR_MS);
    await service.sweepErased();
    expect(await leftOf(workflow._id)).toBe(0);
    expect(await database.db.collection('registry_workflows').countDocuments({ _id: workflow._id as never })).toBe(0);
    now = new Date();
  });

  it('of one version takes its files when no other has them, but none that a save may be about to name', async () => {
    const name = unique();
    const both = { path: 'both', content: `${name} both` };
    const old = { path: 'old', content: `${name} old` };
    const one = await service.save(scope, { name, body: 'a', files: [both, old] });
    const { workflow } = await service.save(scope, {
      name,
      body: 'b',
      files: [both],
      expected_version_token: one.workflow.versionToken,
    });
    await service.eraseVersion(scope, workflow._id, 1);
    await service.sweepLoose();
    expect(await objects(workflow._id)).toBe(2);
    now = new Date(Date.now() + 2 * HOUR_MS);
    await service.sweepLoose();
    expect(await objects(workflow._id)).toBe(1);
    expect((await service.open(scope, workflow._id, null)).version.files).toMatchObject([{ path: 'both' }]);
    now = new Date();
  });

  it('of one version holds against a save that read it before and writes its copy afterwards', async () => {
    const name = unique();
    const one = await service.save(scope, { name, body: 'a' });
    const token = one.workflow.versionToken;
    const { workflow } = await service.save(scope, { name, body: 'b', expected_version_token: token });
    const versions = database.db.collection('registry_workflow_versions');
    const copy = await versions.findOne({ workflowId: workflow._id, version: 1 });
    await service.eraseVersion(scope, workflow._id, 1);
    await versions.insertOne(copy ?? {});
    await expect(service.open(scope, workflow._id, 1)).rejects.toMatchObject({ slug: 'not_found' });
    await expect(service.eraseVersion(scope, workflow._id, 1)).rejects.toMatchObject({ slug: 'not_found' });
    expect(await history(workflow._id)).toEqual(['2b']);
    now = new Date(Date.now() + 2 * HOUR_MS);
    await service.sweepLoose();
    expect(await versions.countDocuments({ workflowId: workflow._id })).toBe(0);
    now = new Date();
  });
});

describe('files of a save that came to nothing', () => {
  const allObjects = async () =>
    (await store.client.send(new ListObjectsV2Command({ Bucket: store.bucket }))).KeyCount ?? 0;
  const sweep = async () => {
    now = new Date(Date.now() + 2 * HOUR_MS);
    await service.sweepErased();
    await service.sweepLoose();
    now = new Date();
  };

  it('are cleared away when first saves race, and what the winner has stays', async () => {
    await sweep();
    const before = await allObjects();
    const name = unique();
    const races = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) =>
        service.save(scope, { name, body: 'a', files: [{ path: 'f', content: `${name} ${i}` }] }),
      ),
    );
    const won = races.flatMap((race) => (race.status === 'fulfilled' ? race.value.workflow : []));
    expect(won).toHaveLength(1);
    await service.sweepErased();
    expect(await objects(won[0]?._id ?? '')).toBe(1);
    await sweep();
    expect(await allObjects()).toBe(before + 1);
  });

  it('are cleared away when a save loses its token, or dies before its last write', async () => {
    const name = unique();
    const { workflow } = await service.save(scope, { name, body: 'a', files: [{ path: 'f', content: name }] });
    await sweep();
    const before = await allObjects();
    const next = (content: string) => ({
      name,
      body: 'b',
      files: [{ path: 'f', content }],
      expected_version_token: workflow.versionToken,
    });
    await Promise.allSettled(Array.from({ length: 5 }, (_, i) => service.save(scope, next(`${name} next ${i}`))));
    const dying = interruptible(database.db);
    const { interrupted } = dying.interruptBefore(2);
    const fresh = { name: unique(), body: 'x', files: [{ path: 'f', content: `${name} fresh` }] };
    void open(dying.db).save(scope, fresh);
    await interrupted;
    expect(await allObjects()).toBeGreaterThan(before + 1);
    await sweep();
    expect(await allObjects()).toBe(before + 1);
    expect(await history(workflow._id)).toEqual(['2b', '1a']);
  });
});

describe('the queries', () => {
  it('all run on an index', async () => {
    const { workflow } = await service.save(scope, { name: unique(), body: 'a', tags: ['t'] });
    const commands = await database.commandsOf(async () => {
      await service.list(scope, { whose: 'mine' }, { first: 2 });
      await service.list(scope, { whose: 'mine', includeArchived: true }, { first: 2 });
      await service.list(scope, { whose: 'mine', tag: 't' }, { first: 2 });
      await service.list(scope, { whose: 'mine', search: 'workflow' }, { first: 2 });
      await service.open(scope, workflow._id, null);
      await service.open(scope, workflow.slug, null);
      await service.loader(scope).load(workflow._id);
      const found = await service.find(scope, workflow._id);
      await service.versions(found.workflow, found.access, 5, null);
      await service.sweepErased();
      await service.sweepLoose();
    });
    const reads = commands.filter((command) => 'find' in command);
    expect(reads.length).toBeGreaterThanOrEqual(10);
    for (const command of reads) expect(stagesOf(await database.explain(command))).not.toContain('COLLSCAN');
  });
});
