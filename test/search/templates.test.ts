/** Searching templates by meaning: all that can be found, as it is at that moment, in every process. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { RemoteEncoder } from '../../subgraphs/registry/embedding/remote-encoder.js';
import {
  SafetyStatus,
  TEMPLATE_VERSIONS,
  TEMPLATES,
  type TemplateDocument,
  TemplateStatus,
  type TemplateVersionDocument,
} from '../../subgraphs/registry/template/template.model.js';
import type { StandIn } from '../providers/stand-in.js';
import { ask, type Loose, openRegistry, scopeOf } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import { openEmbeddingsServer } from './embeddings-server.js';

const SEARCH = `query($query: String!, $limit: Int) {
  searchTemplates(query: $query, limit: $limit) { hits { score template { id name } } query limit searchMode }
}`;
const SECOND = 1_000;

let database: TestDatabase;
let server: StandIn;
let here: Subgraph;
let elsewhere: Subgraph;
let now = new Date('2026-05-05T12:00:00Z');

beforeAll(async () => {
  [database, server] = [await openDatabase(), await openEmbeddingsServer()];
  [here, elsewhere] = [await open(), await open()];
});
afterAll(async () => {
  for (const registry of [here, elsewhere]) await registry?.close();
  await server?.close();
  await database?.close();
});
beforeEach(async () => {
  await templates().updateMany({}, { $unset: { listed: 1 }, $set: { updatedAt: now } });
  now = new Date(now.getTime() + SECOND);
});

const templates = () => database.db.collection<TemplateDocument>(TEMPLATES.name);
const versions = () => database.db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name);

function open(): Promise<Subgraph> {
  const encoder = new RemoteEncoder({ baseUrl: `${server.url}/v1`, apiKey: undefined, model: 'one' });
  return openRegistry(database.db, { encoder, now: () => now });
}

async function catchUp(): Promise<void> {
  const task = here.tasks.find(({ name }) => name === 'registry-template-embeddings');
  await task?.run(new AbortController().signal);
}

function documents(name: string, description: string, templateId = newId()) {
  const contentId = newId();
  const summary = {
    version: 1,
    name,
    description,
    outcome: '',
    tags: [],
    publishingHandle: 'somebody',
    safetyStatus: SafetyStatus.CLEAN,
    publishedAt: now,
  };
  const template: TemplateDocument = {
    _id: templateId,
    ownerId: newId(),
    slug: templateId,
    workflowId: newId(),
    status: TemplateStatus.LIVE,
    rev: 1,
    lastVersion: 1,
    live: [{ version: 1, contentId, publishedAt: now, pins: [] }],
    livePins: [],
    latest: { ...summary, contentId },
    listed: true,
    words: [],
    archivedAt: null,
    archiveReason: null,
    createdAt: now,
    updatedAt: now,
  };
  const version: TemplateVersionDocument = {
    ...summary,
    _id: contentId,
    templateId,
    workflowId: newId(),
    workflowVersion: 1,
    body: 'x',
    files: [],
    verifiers: [],
    imageGenerators: [],
    releaseNotes: null,
    advisoryReasoning: null,
    blockRunId: newId(),
    advisoryRunId: newId(),
    unpublishedAt: null,
    deprecatedAt: null,
    deprecationMessage: null,
  };
  return { template, version };
}

/** As the store of templates writes it. */
async function publish(name: string, description: string): Promise<string> {
  const { template, version } = documents(name, description);
  await versions().insertOne(version);
  await templates().insertOne(template);
  await catchUp();
  return template._id;
}

async function found(query: string, limit?: number, by = here): Promise<Loose[]> {
  const { data, problem } = await ask(by, SEARCH, { query, limit }, scopeOf(null));
  if (problem) throw new Error(problem.error);
  return data.searchTemplates.hits;
}

const namesIn = (hits: Loose[]): string[] => hits.map((hit) => hit.template.name);

describe('a search of templates', () => {
  it('ranks all that can be found, for anybody', async () => {
    await publish('Bills', 'money and tax');
    await publish('Runs', 'sport and muscle');
    await publish('Meals', 'food to cook');
    expect(namesIn(await found('salary'))[0]).toBe('Bills');
    expect(namesIn(await found('football', 1))).toEqual(['Runs']);
    expect(namesIn(await found('dinner recipe'))).toHaveLength(3);
    const { data } = await ask(here, SEARCH, { query: 'x' }, scopeOf(null));
    expect(data.searchTemplates).toMatchObject({ query: 'x', limit: 10, searchMode: 'SEMANTIC' });
  });

  it('goes by what is published at that moment, whichever process changed it', async () => {
    const id = await publish('Trips', 'hotel and beach');
    const kept = await publish('Kept', 'nothing');
    for (const by of [here, elsewhere]) expect(namesIn(await found('travel', 5, by))[0]).toBe('Trips');

    await templates().updateOne({ _id: id }, { $unset: { listed: 1 }, $set: { updatedAt: now } });
    for (const by of [here, elsewhere]) expect(namesIn(await found('travel', 5, by))).toEqual(['Kept']);

    await templates().updateOne({ _id: id }, { $set: { listed: true, updatedAt: now } });
    for (const by of [here, elsewhere]) expect(namesIn(await found('travel', 5, by))).toHaveLength(2);

    const next = documents('Cooking', 'food and recipe', id);
    await versions().insertOne(next.version);
    await templates().updateOne({ _id: id }, { $set: { latest: next.template.latest, updatedAt: now } });
    await catchUp();
    for (const by of [here, elsewhere]) {
      const [best] = await found('kitchen', 5, by);
      expect(best.template.name).toBe('Cooking');
      expect((await found('travel', 5, by)).find((hit) => hit.template.id === id).score).toBeLessThan(best.score / 2);
    }

    // An erasure leaves nothing that says when it was.
    await templates().replaceOne({ _id: kept }, { erasedAt: now } as never);
    for (const by of [here, elsewhere]) expect(namesIn(await found('travel', 5, by))).toEqual(['Cooking']);
  });

  it('makes room for others where some went out of sight unheard', async () => {
    const ids = [];
    for (let i = 0; i < 6; i++) ids.push(await publish(`Flight ${i}`, 'flight and hotel'));
    expect(await found('travel', 3)).toHaveLength(3);
    const long = new Date(now.getTime() - 3_600 * SECOND);
    const [best] = await found('travel', 1);
    await templates().updateOne({ _id: best.template.id }, { $unset: { listed: 1 }, $set: { updatedAt: long } });
    const rest = await found('travel', 3);
    expect(rest).toHaveLength(3);
    expect(rest.map((hit) => hit.template.id)).not.toContain(best.template.id);
  });

  it('hears within a minute of what was written with a clock that is far behind', async () => {
    await publish('Known', 'code');
    await found('software');
    const { template, version } = documents('Late', 'server and database');
    const long = new Date(now.getTime() - 3_600 * SECOND);
    await versions().insertOne(version);
    await templates().insertOne({ ...template, updatedAt: long });
    await catchUp();
    expect(namesIn(await found('software'))).toEqual(['Known']);
    now = new Date(now.getTime() + 61 * SECOND);
    await expect.poll(async () => namesIn(await found('software'))).toContain('Late');
  });

  it('cannot be done while the encoder is out of order, and lists go on', async () => {
    await publish('Anything', 'bug');
    server.behave('server_error');
    await expect(found('code')).rejects.toThrow('search_unavailable');
    const list = 'query($search: String) { templates(search: $search) { nodes { name } } }';
    expect((await ask(here, list, {}, scopeOf(null))).data.templates.nodes).toEqual([{ name: 'Anything' }]);
    server.reset();
    expect(namesIn(await found('code'))).toEqual(['Anything']);
  });

  it('reads nothing without an index', async () => {
    await publish('One', 'budget');
    const fresh = await open();
    const commands = await database.commandsOf(async () => {
      await found('money', 5, fresh);
      await catchUp();
    });
    await fresh.close();
    const finds = commands.filter(({ find }) => /templates|versions/.test(find ?? ''));
    expect(finds.length).toBeGreaterThan(4);
    for (const command of finds) expect(stagesOf(await database.explain(command))).not.toContain('COLLSCAN');
    const listing = finds.find(({ hint }) => hint === 'by_content');
    expect(stagesOf((await database.explain(listing ?? {}))['queryPlanner'].winningPlan)).not.toContain('FETCH');
  });
});
