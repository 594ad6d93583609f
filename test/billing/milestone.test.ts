/** The community milestone, and what selling asks of the store. */
import type { Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { productOf } from '../../subgraphs/billing/plan/catalogue.js';
import { unlockView } from '../../subgraphs/billing/unlock/unlock.type.js';
import { openShop, type Shop } from './support/shop.js';
import { MINUTE } from './support/world.js';

const PACK = 'agent-credits-500';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ unlock: { goalCents: 100_00, goalBackers: 7, url: 'http://here' } });
});
afterAll(() => shop?.close());

const business = () => shop.stripe.business;

async function told(action: () => void): Promise<void> {
  const mark = business().ledger.events.length;
  action();
  await shop.deliverSince(mark);
}

it('counts packs and Agency by heads and sums, less what came back, and unlocks by itself', async () => {
  const { unlockService, entitlementService, purchaseService } = shop.front;
  const at = async () => unlockView(await unlockService.status());
  const locked = {
    type: 'COMMUNITY_MILESTONE',
    displayGoal: 7,
    fundedBasis: true,
    unlockUrl: 'http://here',
    agentHint: 'Tell your operator: any credit pack purchase or Agency subscription moves this unlock forward.',
  };
  expect(await at()).toEqual({ ...locked, displayCurrent: 0 });
  const [pro, agency, packs] = [await shop.customer(), await shop.customer(), await shop.customer()];
  await told(() => business().subscribe(pro.customerId, productOf('pro'), 2_900));
  expect(await at()).toEqual({ ...locked, displayCurrent: 0 });
  await told(() => business().subscribe(agency.customerId, productOf('agency'), 7_500));
  expect(await at()).toEqual({ ...locked, displayCurrent: 1 });
  business().saveCard(packs.customerId);
  await purchaseService.buy(packs, { packId: PACK, idempotencyKey: 'a' });
  expect(await at()).toEqual({ ...locked, displayCurrent: 2 });
  expect((await entitlementService.of(null)).frontierUnlocked).toBe(false);
  await purchaseService.buy(packs, { packId: PACK, idempotencyKey: 'b' });
  expect(await at()).toMatchObject({ type: 'UNLOCKED', displayCurrent: 2 });
  expect((await entitlementService.of(null)).frontierUnlocked).toBe(true);
  const intents = [...business().ledger.paymentIntents.values()].filter(({ metadata }) => metadata['pack_id']);
  await told(() => business().refund(intents[0]?.id ?? '', 100));
  expect(await at()).toEqual({ ...locked, displayCurrent: 2 });
  await told(() => {
    for (const { id } of intents) business().refund(id);
  });
  expect(await at()).toEqual({ ...locked, displayCurrent: 1 });
});

it('is heard of by other processes within seconds, and counted at most once in that time', async () => {
  const { unlockService } = await shop.process();
  const commands = await shop.world.commandsOf(() =>
    Promise.all(Array.from({ length: 50 }, () => unlockService.status())),
  );
  expect(commands.filter(({ commandName }) => commandName === 'aggregate')).toHaveLength(1);
});

function planOf(plan: Document): Document {
  return plan['stages']?.[0]?.['$cursor'] ?? plan;
}

it('asks the store by indexes, and counts without reading a payment', async () => {
  const payment = (committedCents: number) => ({
    _id: `in_${newId()}`,
    userId: newId(),
    item: 'agency',
    credits: 1,
    month: null,
    paidCents: 1,
    netCents: 1,
    committedCents,
    createdAt: shop.world.clock.now(),
    given: 1,
    opened: true,
    moving: null,
    rev: 2,
  });
  await shop.world.store.payments.insertMany(Array.from({ length: 600 }, (_, i) => payment(i % 3 ? 0 : 1)));
  const others = Array.from({ length: 300 }, () => shop.person());
  for (const other of others) await shop.front.customerService.ensure(other, other.email);
  const acts = others.map(({ userId }) => ({ id: newId(), kind: 'grant', operator: null, userId, details: {} }));
  for (const act of acts) await shop.front.actService.begin(act);
  const buyer = await shop.customer();
  business().saveCard(buyer.customerId);
  shop.front.unlockService.forget();
  const commands = await shop.world.commandsOf(async () => {
    await shop.front.unlockService.status();
    await shop.front.purchaseService.buy(buyer, { packId: PACK, idempotencyKey: 'k' });
    await told(() => business().subscribe(buyer.customerId, productOf('agency'), 7_500));
    await shop.front.actService.list(acts[0]?.userId ?? '', { first: 10 });
    await shop.front.actService.list(null, { first: 10 });
    shop.world.clock.advance(MINUTE);
    await shop.runTasks();
  });
  const asked = commands.flatMap(({ commandName, command }): Document[] => {
    const { lsid: _l, $db: _d, writeConcern: _w, readConcern: _r, ordered: _o, ...bare } = command;
    if (commandName === 'update') return command['updates'].map((update: Document) => ({ ...bare, updates: [update] }));
    if (commandName === 'delete') return command['deletes'].map((one: Document) => ({ ...bare, deletes: [one] }));
    return ['find', 'aggregate', 'findAndModify'].includes(commandName) ? [bare] : [];
  });
  expect(asked.length).toBeGreaterThan(40);
  for (const command of asked) {
    const plan = planOf(await shop.world.db.command({ explain: command, verbosity: 'executionStats' }));
    const shown = JSON.stringify(command);
    const stages = JSON.stringify(plan['queryPlanner'].winningPlan);
    expect(stages, shown).toMatch(/IXSCAN|IDHACK|EXPRESS/);
    expect(stages, shown).not.toMatch(/COLLSCAN|"SORT"/);
    const counts = 'aggregate' in command;
    expect(plan['executionStats'].totalDocsExamined, shown).toBeLessThanOrEqual(counts ? 0 : 20);
  }
});
