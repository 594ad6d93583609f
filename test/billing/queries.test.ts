/** What the engine asks of the store goes through indexes, and its tasks look at what is due alone. */
import type { CommandStartedEvent, Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { lookUpsOf } from '../support/database.js';
import { openWorld, SECOND, somebody, type World } from './support/world.js';

const OTHERS = 200;

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const { spending } = world.engine;
  await Promise.all(
    Array.from({ length: OTHERS }, async () => {
      const { payer } = somebody(world.clock.now());
      const runId = newId();
      await spending.reserve({ runId, payer, unit: 'usd_micros', amount: 1, purpose: 'generation' });
      await spending.settle(payer, runId, 1);
    }),
  );
  await world.recover();
});
afterAll(() => world?.close());

const READS = new Set(['find', 'update', 'aggregate', 'count']);

function explainable({ commandName, command }: CommandStartedEvent): Document[] {
  if (commandName === 'bulkWrite') return lookUpsOf(command);
  if (!READS.has(commandName)) return [];
  const { lsid: _l, $db: _d, writeConcern: _w, ordered: _o, ...bare } = command;
  if (commandName === 'update') return command['updates'].map((update: Document) => ({ ...bare, updates: [update] }));
  return [bare];
}

async function expectCheap(action: () => Promise<unknown>, most: number): Promise<void> {
  const commands = (await world.commandsOf(action)).flatMap(explainable);
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) {
    const plan = await world.db.command({ explain: command, verbosity: 'executionStats' });
    const explained = plan['stages']?.[0]?.['$cursor'] ?? plan;
    const shown = JSON.stringify(command);
    const stages = JSON.stringify(explained['queryPlanner'].winningPlan);
    expect(stages, shown).toMatch(/IXSCAN|IDHACK|EXPRESS/);
    expect(stages, shown).not.toMatch(/COLLSCAN|"SORT"/);
    expect(explained['executionStats'].totalDocsExamined, shown).toBeLessThanOrEqual(most);
  }
}

it('of a run, from its reservation to the ledger', async () => {
  const person = somebody(world.clock.now());
  const runId = newId();
  const run = { runId, payer: person.payer, purpose: 'generation' };
  const engine = await world.process();
  await expectCheap(() => engine.spending.reserve({ ...run, unit: 'usd_micros', amount: 1 }), 1);
  const late = await world.process();
  await expectCheap(() => late.spending.settle(person.payer, runId, 1), 1);
  await expectCheap(async () => {
    // The look of another process at a run whose reservation is gone.
    await (await world.process()).spending.settle(person.payer, runId, 1);
  }, 2);
});

it('of the tasks', async () => {
  const person = somebody(world.clock.now());
  const run = { runId: newId(), payer: person.payer, purpose: 'generation' };
  await world.engine.spending.reserve({ ...run, unit: 'usd_micros', amount: 1 });
  await world.engine.ledger.flush();
  world.clock.advance(121 * SECOND);
  // The account of this test and that of the one before.
  await expectCheap(() => world.recover(), 2);
  expect(await world.store.accounts.countDocuments({ outboxSince: { $exists: true } })).toBe(0);
  expect(await world.store.accounts.countDocuments({ sweepAt: { $exists: true } })).toBe(0);
});

it('of an audit', async () => {
  const person = somebody(world.clock.now());
  await world.engine.moneyIn.grant(person, {
    source: 'a',
    unit: 'credits',
    kind: 'purchased',
    amount: 1,
    expiresAt: null,
  });
  await world.engine.ledger.flush();
  await expectCheap(() => world.audit(person.userId), 3);
});
