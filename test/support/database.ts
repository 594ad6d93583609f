/** One embedded engine and a connection that notes the commands it sends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandStartedEvent, type Db, type Document, MongoClient } from 'mongodb';
import { openEmbeddedMongo } from '../../platform/embedded/mongo.js';

export interface TestDatabase {
  db: Db;
  /** Where another process finds the engine. */
  url: string;
  /** The commands that `action` caused. */
  commandsOf(action: () => Promise<unknown>): Promise<Document[]>;
  /** How the engine would run a command. */
  explain(command: Document): Promise<Document>;
  close(): Promise<void>;
}

export async function openDatabase(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-db-'));
  const engine = await openEmbeddedMongo({ dataDir });
  const client = await MongoClient.connect(engine.url, { monitorCommands: true });
  const seen: Document[] = [];
  client.on('commandStarted', ({ command }: CommandStartedEvent) => seen.push(command));
  const db = client.db('test');
  return {
    db,
    url: engine.url,
    async commandsOf(action) {
      const before = seen.length;
      await action();
      return seen.slice(before);
    },
    explain({ lsid: _lsid, $db: _db, txnNumber: _txn, ...command }) {
      return db.command({ explain: command, verbosity: 'executionStats' });
    },
    async close() {
      await client.close();
      await engine.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The look-ups of writes that went together, each as a query of its own. */
export function lookUpsOf({ bulkWrite, ops, nsInfo }: Document): { find: string; filter: Document }[] {
  if (bulkWrite === undefined) return [];
  const places = (nsInfo as { ns: string }[]).map(({ ns }) => ns.slice(ns.indexOf('.') + 1));
  return (ops as Document[]).flatMap(({ update, filter }) =>
    update === undefined ? [] : [{ find: places[update] ?? '', filter }],
  );
}

/** The names of all stages of a plan. */
export function stagesOf(plan: unknown): string[] {
  if (typeof plan !== 'object' || plan === null) return [];
  const own = 'stage' in plan && typeof plan.stage === 'string' ? [plan.stage] : [];
  return [...own, ...Object.values(plan).flatMap(stagesOf)];
}
