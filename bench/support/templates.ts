/** A catalogue of templates, written straight into the collections: alike but for how many there are. */
import { Binary, type Db } from 'mongodb';
import { newId } from '../../platform/ids.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { LocalEncoder } from '../../subgraphs/registry/embedding/local-encoder.js';
import {
  SafetyStatus,
  TEMPLATE_VERSIONS,
  TEMPLATES,
  type TemplateDocument,
  TemplateStatus,
  type TemplateVersionDocument,
} from '../../subgraphs/registry/template/template.model.js';
import { searchWords } from '../../subgraphs/registry/workflow/workflow.rules.js';

const DOING = ['Review', 'Plan', 'Draft', 'Clean up', 'Translate', 'Summarise', 'Audit', 'Publish', 'Compare', 'Test'];
const WHAT = [
  'contracts with suppliers',
  'the weekly report',
  'invoices that are overdue',
  'a trip by train',
  'recipes for a family',
  'pull requests',
  'slow database queries',
  'interviews with customers',
  'photos of products',
  'lessons for a school class',
];
const FOR_WHOM = [
  'the team',
  'the board',
  'new colleagues',
  'customers',
  'students',
  'a client',
  'the press',
  'doctors',
];
const HOW = ['step by step', 'in a table', 'within an hour', 'with sources', 'without jargon', 'on one page'];

const PUBLISHED = new Date(Date.UTC(2026, 5, 1));
const MODEL = new LocalEncoder().model;
const DIMENSIONS = 512;
const AT_ONCE = 1_000;

export const SEARCHED: readonly string[] = DOING.flatMap((doing) =>
  WHAT.slice(0, 4).map((what) => `${doing} ${what} for somebody`),
);

/** What a template means makes no difference to how long it takes to compare: any direction will do. */
export async function seedTemplates(db: Db, count: number): Promise<void> {
  await ensureIndexes(db, [TEMPLATES, TEMPLATE_VERSIONS]);
  for (let from = 0; from < count; from += AT_ONCE) {
    const made = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => template(from + i));
    await db.collection<TemplateDocument>(TEMPLATES.name).insertMany(made.map(({ document }) => document));
    await db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name).insertMany(made.map(({ version }) => version));
  }
}

function template(n: number): { document: TemplateDocument; version: TemplateVersionDocument } {
  const templateId = newId();
  const contentId = newId();
  const [doing, what, whom, how] = [pick(DOING, n), pick(WHAT, n / 3), pick(FOR_WHOM, n / 7), pick(HOW, n / 11)];
  const summary = {
    name: `${doing} ${what}`,
    description: `${doing} ${what} for ${whom}, ${how}. Edition ${n}.`,
    outcome: `${whom} have what they need of ${what}.`,
    tags: [what.split(' ').at(-1) ?? '', how.split(' ')[0] ?? ''],
    publishingHandle: `person-${n % 64}`,
    safetyStatus: SafetyStatus.CLEAN,
    publishedAt: PUBLISHED,
    version: 1,
  };
  const { name, description, outcome, tags } = summary;
  return {
    document: {
      _id: templateId,
      ownerId: newId(),
      slug: `template-${n}`,
      workflowId: newId(),
      status: TemplateStatus.LIVE,
      rev: 1,
      lastVersion: 1,
      live: [{ version: 1, contentId, publishedAt: PUBLISHED, pins: [] }],
      livePins: [],
      latest: { ...summary, contentId },
      listed: true,
      words: searchWords(name, ...tags, outcome, description),
      archivedAt: null,
      archiveReason: null,
      createdAt: PUBLISHED,
      updatedAt: PUBLISHED,
    },
    version: {
      ...summary,
      _id: contentId,
      templateId,
      workflowId: newId(),
      workflowVersion: 1,
      body: `# ${name}\n\n1. ${description}\n`,
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
      embedding: { model: MODEL, vector: new Binary(anyDirection()) },
    },
  };
}

function pick(from: readonly string[], n: number): string {
  return from[Math.floor(n) % from.length] ?? '';
}

function anyDirection(): Buffer {
  return Buffer.from(Int8Array.from({ length: DIMENSIONS }, () => Math.round((Math.random() - 0.5) * 254)).buffer);
}
