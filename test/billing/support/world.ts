/** Processes of the billing subgraph over one real engine, with a clock that tests turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';
import { openEmbeddedMongo } from '../../../platform/embedded/mongo.js';
import { newId } from '../../../platform/ids.js';
import type { Holder } from '../../../subgraphs/billing/account/payers.js';
import type { Payer } from '../../../subgraphs/billing/account/spending.service.js';
import { type BillingEngine, createEngine } from '../../../subgraphs/billing/engine.js';
import { audit } from '../../../subgraphs/billing/ledger/audit.js';
import type { BillingSettings } from '../../../subgraphs/billing/settings.js';
import { type BillingStore, openStore } from '../../../subgraphs/billing/store.js';
import { billingDeps } from './settings.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export class Clock {
  #now = new Date('2026-03-01T12:00:00.000Z');
  readonly now = () => new Date(this.#now);

  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }

  set(time: string | Date): void {
    this.#now = new Date(time);
  }
}

export interface World {
  db: Db;
  mongoUrl: string;
  dataDir: string;
  store: BillingStore;
  clock: Clock;
  engine: BillingEngine;
  /** Another process on the same store, perhaps with other settings or a store that fails. */
  process(settings?: Partial<BillingSettings>, db?: Db): Promise<BillingEngine>;
  /** The commands that an action caused. */
  commandsOf(action: () => Promise<unknown>): Promise<CommandStartedEvent[]>;
  /** What a dead process left is brought to its end. */
  recover(engine?: BillingEngine): Promise<void>;
  /** What does not add up, of some accounts or of all. */
  audit(...accountIds: string[]): Promise<string[]>;
  /** Leaves the data directory to another process. */
  closeEngine(): Promise<void>;
  close(): Promise<void>;
}

const forever = new AbortController().signal;

export async function openWorld(settings: Partial<BillingSettings> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'billing-'));
  const mongo = await openEmbeddedMongo({ dataDir });
  const client = await MongoClient.connect(mongo.url, {
    monitorCommands: true,
    maxPoolSize: 50,
    retryWrites: false,
    ignoreUndefined: true,
  });
  const db = client.db('billing');
  const commands: CommandStartedEvent[] = [];
  client.on('commandStarted', (event) => commands.push(event));
  const clock = new Clock();
  const start = async (changes: Partial<BillingSettings> = {}, of = db) => {
    const deps = billingDeps(of, clock.now);
    return createEngine(await openStore(of), { ...deps, settings: { ...deps.settings, ...settings, ...changes } });
  };
  const store = await openStore(db);
  const engine = await start();
  const closeEngine = async () => {
    await client.close();
    await mongo.close();
  };
  return {
    db,
    mongoUrl: mongo.url,
    dataDir,
    store,
    clock,
    engine,
    process: start,
    async commandsOf(action) {
      const before = commands.length;
      await action();
      return commands.slice(before);
    },
    async recover(by = engine) {
      await by.sweeper.sweep(forever);
      await by.ledger.tidy(forever, 0);
    },
    audit: async (...ids) => (await audit(store, ids.length > 0 ? ids : undefined)).findings,
    closeEngine,
    async close() {
      await closeEngine();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Somebody new, as the accounts subgraph would name them. */
export function somebody(createdAt: Date): Holder & { payer: Payer } {
  const holder = { userId: newId(), createdAt };
  return { ...holder, payer: { ...holder, suspended: false } };
}
