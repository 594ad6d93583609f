/** kill -9 while runs are held and charged, again and again on one data directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import type { Payer } from '../../subgraphs/billing/account/spending.service.js';
import { createEngine } from '../../subgraphs/billing/engine.js';
import { audit } from '../../subgraphs/billing/ledger/audit.js';
import type { BillingSettings } from '../../subgraphs/billing/settings.js';
import { openStore } from '../../subgraphs/billing/store.js';
import { launch } from '../support/process.js';
import { BILLING_SETTINGS, billingDeps, USD } from './support/settings.js';

const KILLS = process.env['LONG'] ? 30 : 5;
const CYCLES = 2_000;
const CHILD = join(import.meta.dirname, 'child.mjs');
const COMPILED = resolve(import.meta.dirname, '../../dist');

/** Enough for every cycle of every round. */
const SETTINGS: BillingSettings = {
  ...BILLING_SETTINGS,
  refills: { hobby: 1_000_000 * USD, pro: 1_000_000 * USD },
  anonymousGrant: 1_000_000 * USD,
  anonymousDailyCap: 10_000_000 * USD,
};
const PAYERS: Payer[] = [
  ...Array.from({ length: 3 }, () => ({ userId: newId(), createdAt: new Date(), suspended: false })),
  { userId: null, network: '198.51.100.7' },
];

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'billing-kill-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Child {
  url: string;
  lines(): string[];
  go(): void;
  kill(): Promise<void>;
}

async function start(round: number): Promise<Child> {
  const args = [COMPILED, dataDir, String(round), String(CYCLES), JSON.stringify(PAYERS), JSON.stringify(SETTINGS)];
  const { child, output, exited } = launch(args, {}, CHILD);
  await expect.poll(() => /^open (.+)$/m.exec(output())?.[1] ?? output(), { timeout: 60_000 }).toMatch(/^mongodb:/);
  return {
    url: /^open (.+)$/m.exec(output())?.[1] ?? '',
    lines: () => output().split('\n'),
    go: () => child.kill('SIGUSR2'),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

type Acknowledged = Map<string, { payer: number; amount: number }>;

/** A line that was cut off was not acknowledged. */
function acknowledged(lines: readonly string[]): Acknowledged {
  const charges = lines.slice(0, -1).flatMap((line) => {
    const [what, payer, runId, amount] = line.split(' ');
    return what === 'charged' && runId ? [[runId, { payer: Number(payer), amount: Number(amount) }] as const] : [];
  });
  return new Map(charges);
}

/** What the next process finds, after one sweep: everything adds up, and each run was charged once. */
async function verify(url: string, latest: Acknowledged): Promise<number> {
  const client = await MongoClient.connect(url, { retryWrites: false, ignoreUndefined: true });
  try {
    const store = await openStore(client.db('billing'));
    expect((await audit(store)).findings).toEqual([]);
    // By then every reservation of the dead process has run out.
    const later = () => new Date(Date.now() + 180_000);
    const engine = createEngine(store, { ...billingDeps(client.db('billing'), later), settings: SETTINGS });
    await engine.sweeper.sweep(new AbortController().signal);
    await engine.ledger.tidy(new AbortController().signal, 0);
    const { findings } = await audit(store);
    expect(findings).toEqual([]);
    expect(await store.accounts.countDocuments({ 'reservations.0': { $exists: true } })).toBe(0);
    // Whoever asks for it again is told what it was, and charged nothing.
    await Promise.all(
      [...latest].map(async ([runId, { payer, amount }]) => {
        expect((await engine.spending.settle(PAYERS[payer] as Payer, runId, amount + 1)).amount).toBe(amount);
      }),
    );
    await engine.ledger.flush();
    const charges = await store.entries
      .aggregate<{ _id: { kind: string; runId: string }; times: number; sum: number }>([
        { $match: { kind: 'charge' } },
        {
          $group: {
            _id: { kind: { $substrBytes: ['$accountId', 0, 4] }, runId: '$runId' },
            times: { $sum: 1 },
            sum: { $sum: { $subtract: ['$owed', '$amount'] } },
          },
        },
      ])
      .toArray();
    expect(charges.filter(({ times }) => times !== 1)).toEqual([]);
    const onCap = new Map(charges.filter(({ _id }) => _id.kind === 'cap_').map(({ _id, sum }) => [_id.runId, sum]));
    const onPayer = new Map(charges.filter(({ _id }) => _id.kind !== 'cap_').map(({ _id, sum }) => [_id.runId, sum]));
    for (const [runId, { amount }] of latest) expect([runId, onPayer.get(runId)]).toEqual([runId, amount]);
    // The day's cap counts what networks were charged.
    const onNetworks = charges
      .filter(({ _id }) => _id.kind === 'net_')
      .map(({ _id, sum }) => [_id.runId, sum] as const);
    expect(onCap).toEqual(new Map(onNetworks));
    return onPayer.size;
  } finally {
    await client.close();
  }
}

it(`${KILLS} kills during ${CYCLES} reservations and settlements each`, { timeout: KILLS * 90_000 }, async () => {
  let latest: Acknowledged = new Map();
  let all = 0;
  let charged = 0;
  let amid = 0;
  for (let round = 0; round <= KILLS; round++) {
    const child = await start(round);
    charged = await verify(child.url, latest);
    if (round === KILLS) await child.kill();
    else {
      child.go();
      // A kill before anything was acknowledged would show nothing.
      await expect.poll(() => acknowledged(child.lines()).size, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_500));
      await child.kill();
      latest = acknowledged(child.lines());
      all += latest.size;
      if (!child.lines().includes('all done')) amid += 1;
    }
  }
  expect(charged).toBeGreaterThanOrEqual(all);
  expect(amid).toBeGreaterThan(0);
  console.info(
    `${KILLS} kills, ${amid} of them amid the work: ${all} acknowledged charges, each there once; ${charged} in all`,
  );
});
