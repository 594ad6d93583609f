/** Publishing and forking over the registry itself: what is refused and what it costs, and what a fork leaves that dies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { newId, VerifierId } from '../../platform/ids.js';
import { Circuits } from '../../platform/outbound/circuit.js';
import { ObjectStore } from '../../platform/s3.js';
import type { Scope } from '../../platform/scope.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { JudgeFailure } from '../../subgraphs/registry/judge/failure.js';
import type { Judge, Judgement, Question } from '../../subgraphs/registry/judge/judge.js';
import { Judges } from '../../subgraphs/registry/judge/judges.js';
import type { SharedRole } from '../../subgraphs/registry/verifier/sharing.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { openAccounts, openAssets, openImages, openPurse, type TestPurse } from '../registry/support/peers.js';
import { type Answer, ask, log, openRegistry, scopeOf } from '../registry/support/registry.js';
import { openDatabase, type TestDatabase } from '../support/database.js';

const SAVE = `mutation ($input: SaveWorkflowInput!) { saveWorkflow(input: $input) { workflow { id slug } } }`;
const PUBLISH = `mutation ($input: PublishTemplateInput!) { publishTemplate(input: $input) {
  template { id latestVersion } safetyVerification { status }
} }`;
const CHECK = `mutation ($input: CheckTemplateSafetyInput!) { checkTemplateSafety(input: $input) { check { status } } }`;
const FORK = `mutation ($input: ForkTemplateInput!) { forkTemplate(input: $input) {
  workflow { id slug version { verifiers { verifierId version } imageGenerators { generatorRef } } }
} }`;
const DEPLOY_VERIFIER = `mutation ($input: DeployVerifierInput!) { deployVerifier(input: $input) { verifier { id } } }`;
const DEPLOY_GENERATOR = `mutation ($input: DeployImageGeneratorInput!) {
  deployImageGenerator(input: $input) { generator { id } }
}`;
const DELETE_VERIFIER = `mutation ($input: DeleteVerifierInput!) { deleteVerifier(input: $input) { __typename } }`;
const HOUR_MS = 3_600_000;
const CENT = 10_000;

let database: TestDatabase;
let objects: ObjectStore;
let closeObjects: () => Promise<unknown>;
let registry: Subgraph;
let purse: TestPurse;
let questions: Question[];
let verdict: (question: Question) => Promise<Judgement>;
let role: SharedRole | null = null;
let now = new Date();
const accounts = openAccounts();
const ada = newId();
let nth = 0;

/** In the place of a judge behind an address: the rules alone do not decide then. */
const judge: Judge = {
  name: 'test',
  local: false,
  canJudge: () => true,
  judge(question) {
    questions.push(question);
    return verdict(question);
  },
  async close() {},
};

function scope(userId: string, overrides: object = {}): Scope {
  const { caller, ...rest } = scopeOf(userId);
  const handle = accounts.principals.get(userId)?.handle ?? null;
  return { ...rest, caller: caller && { ...caller, handle, ...overrides } };
}

function open(db = database.db): Promise<Subgraph> {
  return openRegistry(db, {
    store: objects,
    judges: new Judges({ judges: [judge], circuits: new Circuits(null), timeoutMs: 60_000, log }),
    sharing: { roleOf: async () => role, named: async () => [] },
    peers: { accounts: accounts.accounts, billing: purse.billing, images: openImages(), assets: openAssets() },
    now: () => now,
  });
}

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-publishing-'));
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'test' });
  objects = new ObjectStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: 'test',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  closeObjects = async () => {
    objects.close();
    await s3.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  database = await openDatabase();
  accounts.principals.set(ada, { type: 'USER', id: ada, handle: 'ada' });
});
afterAll(async () => {
  await database?.close();
  await closeObjects?.();
});

beforeEach(async () => {
  purse = openPurse(500 * CENT);
  questions = [];
  verdict = async () => ({ passed: true, reasoning: 'fine', judge: 'test-1' });
  role = null;
  now = new Date();
  registry = await open();
});

async function saved(input: object = {}, userId = ada): Promise<string> {
  const workflow = { name: `workflow ${++nth}`, body: '# Do it\n\n1. Begin.\n', outcome: 'It is done.', ...input };
  const { data, problem } = await ask(registry, SAVE, { input: workflow }, scope(userId));
  expect(problem).toBeUndefined();
  return data.saveWorkflow.workflow.id;
}

function publish(workflowId: string, caller = scope(ada)): Promise<Answer> {
  return ask(registry, PUBLISH, { input: { workflowId } }, caller);
}

const deployVerifier = async (userId: string) => {
  const input = { name: `v-${++nth}`, criterion: 'It is clear.', inputFields: ['text'] };
  return (await ask(registry, DEPLOY_VERIFIER, { input }, scope(userId))).data.deployVerifier.verifier.id as string;
};

const stored = () => database.db.collection('registry_templates').countDocuments({ ownerId: { $exists: true } });

describe('publishing', () => {
  it.each<[string, () => Promise<Judgement>]>([
    ['cannot be reached', () => Promise.reject(new JudgeFailure('unreachable'))],
    ['gives no verdict', () => Promise.reject(new JudgeFailure('timeout'))],
    ['is overloaded', () => Promise.reject(new JudgeFailure('overloaded'))],
  ])('is put off, and writes nothing, when the judge %s', async (_what, answer) => {
    const [workflowId, before] = [await saved(), await stored()];
    // Also when it is the second check that fails.
    for (const failsAt of [1, 2]) {
      questions = [];
      verdict = () =>
        questions.length < failsAt ? Promise.resolve({ passed: true, reasoning: '', judge: 't' }) : answer();
      const { problem } = await publish(workflowId);
      expect(problem).toMatchObject({ error: 'safety_verification_unavailable', retryable: true });
    }
    expect(await stored()).toBe(before);
    expect(accounts.stamped).toEqual([]);
  });

  it('is for callers who are not suspended, and only under a handle that is theirs', async () => {
    const workflowId = await saved();
    expect((await publish(workflowId, scope(ada, { suspended: true }))).problem.error).toBe('account_suspended');
    accounts.principals.set('other', { type: 'USER', id: newId(), handle: 'taken' });
    expect((await publish(workflowId, scope(ada, { handle: 'taken' }))).problem.error).toBe('handle_not_claimed');
  });

  it('costs nothing, and stamps the handle', async () => {
    const { data } = await publish(await saved());
    expect(data.publishTemplate.safetyVerification.status).toBe('CLEAN');
    expect(purse.calls).toEqual([]);
    expect(accounts.stamped).toContain('ada');
    const runs = await database.db.collection('registry_verifier_runs').find().sort({ _id: -1 }).limit(2).toArray();
    expect(runs.map(({ costMicros, ownerId }) => [costMicros, ownerId])).toEqual([
      [0, ada],
      [0, ada],
    ]);
  });

  it('fails when a verifier was erased meanwhile, and stamps no handle then', async () => {
    const bea = newId();
    accounts.principals.set(bea, { type: 'USER', id: bea, handle: 'bea' });
    const verifierId = await deployVerifier(bea);
    const workflowId = await saved({ verifiers: [{ name: 'clear', verifierId }] }, bea);
    verdict = async () => {
      await ask(registry, DELETE_VERIFIER, { input: { verifier: verifierId } }, scope(bea));
      return { passed: true, reasoning: 'fine', judge: 'test-1' };
    };
    const before = await stored();
    expect((await publish(workflowId, scope(bea))).problem).toMatchObject({
      error: 'conflict',
      message: expect.stringContaining('erased'),
    });
    expect(await stored()).toBe(before);
    expect(accounts.stamped).not.toContain('bea');
  });

  it('has the judge read the body and every text of the bundle, in pieces where it is long', async () => {
    const word = 'Lorem ipsum dolor sit amet. ';
    const long = word.repeat(12_000);
    const files = [
      { path: 'a.md', content: 'alpha text' },
      { path: 'long.txt', content: long },
      { path: 'sixteen.txt', contentBase64: Buffer.from('\ufeffbeta text', 'utf16le').toString('base64') },
      { path: 'blob.bin', contentBase64: Buffer.from('\0\0gamma: a line in a binary\0').toString('base64') },
    ];
    await publish(await saved({ files }));
    const block = questions.filter(({ criterion }) => criterion.includes('harms whoever follows it'));
    const read = block.map(({ inputs }) => inputs.find(({ field }) => field === 'body')?.value ?? '');
    expect(Math.max(...read.map(({ length }) => length))).toBeLessThanOrEqual(180_000);
    for (const text of ['# Do it', 'alpha text', 'beta text', 'gamma: a line in a binary']) {
      expect(read.some((piece) => piece.includes(text))).toBe(true);
    }
    const longest = read.filter((piece) => piece.includes(word)).reduce((sum, { length }) => sum + length, 0);
    expect(longest).toBeGreaterThan(long.length);
    questions = [];
    verdict = async ({ inputs }) => {
      const passed = !inputs.some(({ value }) => value.includes('gamma'));
      return { passed, reasoning: passed ? 'fine' : 'It says gamma.', judge: 'test-1' };
    };
    const refused = await publish(await saved({ files }));
    expect(refused.problem).toMatchObject({ error: 'safety_verification_failed', verifier_run_id: expect.any(String) });
    expect(refused.problem.reasoning).toMatch(/^In the files .*blob\.bin.*: It says gamma\.$/);
  });

  it('hands out nobody’s verifier who did not say so', async () => {
    const eve = newId();
    const verifierId = await deployVerifier(eve);
    role = 'exec';
    const workflowId = await saved({ verifiers: [{ name: 'hers', verifierId }] });
    expect((await publish(workflowId)).problem).toMatchObject({
      error: 'conflict',
      message: expect.stringContaining('hers'),
    });
    role = 'tune';
    expect((await publish(workflowId)).problem).toBeUndefined();
  });
});

describe('a check on request', () => {
  it('is two runs that its caller pays for, whatever the first one says', async () => {
    const { data } = await publish(await saved());
    const input = { identifier: data.publishTemplate.template.id };
    verdict = async () => ({ passed: false, reasoning: 'no', judge: 'test-1' });
    const { data: checked } = await ask(registry, CHECK, { input }, scope(newId()));
    expect(checked.checkTemplateSafety.check.status).toBe('BLOCKED');
    expect([purse.charged.size, purse.balance, purse.held.size]).toEqual([2, 498 * CENT, 0]);
    purse = openPurse(0);
    registry = await open();
    expect((await ask(registry, CHECK, { input }, scope(newId()))).problem.error).toBe('budget_exhausted');
  });
});

describe('a fork', () => {
  const forker = newId();
  const own = (collection: string) =>
    database.db.collection(collection).find({ ownerId: forker }).sort({ _id: 1 }).toArray();
  const fork = (on: Subgraph, identifier: string) => ask(on, FORK, { input: { identifier } }, scope(forker));

  async function sweep(): Promise<void> {
    now = new Date(now.getTime() + 1.1 * HOUR_MS);
    for (const { name, run } of registry.tasks)
      if (/workflow|erased/.test(name)) await run(new AbortController().signal);
  }

  async function filesIn(folder: string): Promise<number> {
    const listed = await objects.client.send(
      new ListObjectsV2Command({ Bucket: objects.bucket, Prefix: `${folder}/` }),
    );
    return listed.KeyCount ?? 0;
  }

  it('that dies before any of its writes is there as a whole, or leaves nothing', async () => {
    const verifierId = await deployVerifier(ada);
    const generator = { name: 'drawer', model: 'local/atelier', generationContract: 'TEXT_TO_IMAGE' };
    const { data: deployed } = await ask(registry, DEPLOY_GENERATOR, { input: generator }, scope(ada));
    const workflowId = await saved({
      files: [{ path: 'f.md', content: 'f' }],
      verifiers: [{ name: 'clear', verifierId }],
      imageGenerators: [{ name: 'drawer', generatorRef: deployed.deployImageGenerator.generator.id }],
    });
    const { data: published } = await publish(workflowId);
    const { id } = published.publishTemplate.template;
    const owned = ['registry_workflows', 'registry_verifiers', 'registry_generators'];
    let nothing = 0;
    for (let call = 0; ; call++) {
      const filesBefore = await filesIn('workflows');
      const dying = interruptible(database.db);
      const on = await open(dying.db);
      const { interrupted } = dying.interruptBefore(call);
      const running = fork(on, id);
      running.catch(() => undefined);
      if (await Promise.race([running.then(() => true), interrupted.then(() => false)])) break;
      await sweep();
      const kept = await Promise.all(owned.map(async (name) => (await own(name)).length));
      const left = [...kept, (await filesIn('workflows')) - filesBefore];
      if (left.some((count) => count > 0)) expect([call, left]).toEqual([call, [1, 1, 1, 1]]);
      else nothing += 1;
      for (const name of owned) await database.db.collection(name).deleteMany({ ownerId: forker });
      for (const name of owned) expect(await own(name)).toEqual([]);
    }
    expect(nothing).toBeGreaterThan(6);
    const [workflow] = await own('registry_workflows');
    const [verifier] = await own('registry_verifiers');
    const [drawer] = await own('registry_generators');
    expect(workflow?.['current']).toMatchObject({
      verifiers: [{ verifierId: verifier?._id, version: 1, sharedBy: forker }],
      imageGenerators: [{ generatorRef: `${drawer?._id}@1` }],
    });
    await sweep();
    expect((await own('registry_verifiers')).length).toBe(1);
    // One name is taken now.
    await fork(registry, id);
    const names = (await own('registry_verifiers')).map(({ name }) => String(name));
    expect(names.toSorted()).toEqual([names[0], `${names[0]}-2`]);
    expect(VerifierId.parse(verifierId)).not.toBe(verifier?._id);
  });
});
