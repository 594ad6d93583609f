/**
 * Every operation is cut before each of its calls to the store: once by the death of its process, and once by a sleep in
 * which a rival does the same and the recovery runs before it goes on. Either way all accounts add up, nothing stays
 * held, and what the operation is about happened once or, until somebody repeats it, perhaps not at all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { capAccount, networkAccount } from '../../subgraphs/billing/account/payers.js';
import type { Payer } from '../../subgraphs/billing/account/spending.service.js';
import type { BillingEngine } from '../../subgraphs/billing/engine.js';
import { chargeOf } from '../../subgraphs/billing/ledger/ledger.model.js';
import { type Interruptible, interruptible } from '../accounts/support/interrupt.js';
import { billingDeps, USD } from './support/settings.js';
import { DAY, MINUTE, openWorld, somebody, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

interface Scene {
  run(engine: BillingEngine): Promise<unknown>;
  /** After the recovery, and again after somebody repeated the operation. */
  check(repeated: boolean): Promise<void>;
}

const PRICE = 0.1 * USD;

async function spentOf(accountId: string, runId: string): Promise<number> {
  await world.recover();
  const charge = await world.store.entries.findOne({ once: chargeOf(accountId, runId) });
  const account = await world.store.accounts.findOne({ _id: accountId });
  expect(account?.reservations ?? []).toEqual([]);
  return charge ? charge.owed - charge.amount : 0;
}

const reserveAs = (payer: Payer, runId: string) => (engine: BillingEngine) =>
  engine.spending.reserve({ runId, payer, unit: 'usd_micros', amount: 2 * PRICE, purpose: 'generation' });

async function userScene() {
  const person = somebody(world.clock.now());
  const runId = newId();
  const left = async () => (await world.engine.moneyIn.look(person)).available('usd_micros');
  const spent = () => spentOf(person.userId, runId);
  return { person, runId, left, spent, reserve: reserveAs(person.payer, runId) };
}

async function networkScene() {
  const network = `network ${newId()}`;
  const payer: Payer = { userId: null, network };
  const runId = newId();
  const { id } = networkAccount(billingDeps(world.db).secrets, network, world.clock.now());
  const cap = capAccount(world.clock.now());
  const both = async () => [await spentOf(id, runId), await spentOf(cap.id, runId)];
  return { id, payer, runId, both, reserve: reserveAs(payer, runId) };
}

const SCENES: Record<string, () => Promise<Scene>> = {
  async 'a reservation'() {
    const { reserve, left, spent } = await userScene();
    return {
      run: reserve,
      async check() {
        expect([await spent(), await left()]).toEqual([0, 5 * USD]);
      },
    };
  },
  async 'a settlement'() {
    const { person, runId, reserve, left, spent } = await userScene();
    await reserve(world.engine);
    return {
      run: ({ spending }) => spending.settle(person.payer, runId, PRICE),
      async check(repeated) {
        const charged = await spent();
        if (repeated || charged > 0) expect([charged, await left()]).toEqual([PRICE, 5 * USD - PRICE]);
        else expect(await left()).toBe(5 * USD);
      },
    };
  },
  async 'a settlement after the reservation ran out'() {
    const { person, runId, reserve, left, spent } = await userScene();
    await reserve(world.engine);
    world.clock.advance(3 * MINUTE);
    await world.recover();
    return {
      run: ({ spending }) => spending.settle(person.payer, runId, PRICE),
      async check(repeated) {
        const charged = await spent();
        expect(charged).toBe(repeated || charged > 0 ? PRICE : 0);
        expect(await left()).toBe(5 * USD - charged);
      },
    };
  },
  async 'a release'() {
    const { person, runId, reserve, left, spent } = await userScene();
    await reserve(world.engine);
    return {
      run: ({ spending }) => spending.release(person.payer, runId),
      async check() {
        expect([await spent(), await left()]).toEqual([0, 5 * USD]);
      },
    };
  },
  async 'a reservation without an account'() {
    const { reserve, both } = await networkScene();
    return {
      run: reserve,
      async check() {
        expect(await both()).toEqual([0, 0]);
      },
    };
  },
  async 'a settlement without an account'() {
    const { payer, runId, reserve, both } = await networkScene();
    await reserve(world.engine);
    return {
      run: ({ spending }) => spending.settle(payer, runId, PRICE),
      async check(repeated) {
        const [network = 0, cap] = await both();
        // The day's cap follows, also when the process died between the two.
        expect(cap).toBe(network);
        if (repeated) expect(network).toBe(PRICE);
      },
    };
  },
  async 'a release without an account'() {
    const { payer, runId, reserve, both } = await networkScene();
    await reserve(world.engine);
    return {
      run: ({ spending }) => spending.release(payer, runId),
      async check() {
        expect(await both()).toEqual([0, 0]);
      },
    };
  },
  async 'a refused reservation without an account'() {
    const { payer, both } = await networkScene();
    const greedy = { runId: newId(), payer, unit: 'usd_micros', amount: 1 * USD, purpose: 'generation' } as const;
    return {
      run: ({ spending }) =>
        spending.reserve(greedy).then(
          () => expect.unreachable('it costs more than the grant'),
          (error) => expect(error instanceof Problem && error.slug).toBe('budget_exhausted'),
        ),
      async check() {
        expect(await both()).toEqual([0, 0]);
      },
    };
  },
  async 'a sweep'() {
    const { reserve, left, spent } = await userScene();
    await reserve(world.engine);
    world.clock.advance(3 * MINUTE);
    return {
      run: ({ sweeper }) => sweeper.sweep(new AbortController().signal),
      async check() {
        expect([await spent(), await left()]).toEqual([0, 5 * USD]);
      },
    };
  },
  async 'a sweep of a day whose run was charged on its network alone'() {
    const { id, payer, runId, reserve, both } = await networkScene();
    await reserve(world.engine);
    await dieHavingDone(
      ({ spending }) => spending.settle(payer, runId, PRICE),
      async () => (await world.store.accounts.countDocuments({ _id: id, 'outbox.once': chargeOf(id, runId) })) > 0,
    );
    world.clock.advance(3 * MINUTE);
    return {
      run: ({ sweeper }) => sweeper.sweep(new AbortController().signal),
      async check() {
        expect(await both()).toEqual([PRICE, PRICE]);
      },
    };
  },
  async 'the emptying of outboxes'() {
    const { person, runId, reserve, spent } = await userScene();
    await reserve(world.engine);
    await world.engine.spending.settle(person.payer, runId, PRICE);
    return {
      run: ({ ledger }) => ledger.tidy(new AbortController().signal, 0),
      async check() {
        expect(await spent()).toBe(PRICE);
      },
    };
  },
  async 'a grant'() {
    const { person, left } = await userScene();
    const grant = { source: newId(), unit: 'usd_micros', kind: 'purchased', amount: 1 * USD, expiresAt: null } as const;
    return {
      run: ({ moneyIn }) => moneyIn.grant(person, grant),
      async check(repeated) {
        expect([...(repeated ? [] : [5 * USD]), 6 * USD]).toContain(await left());
      },
    };
  },
  async 'a refill'() {
    const { person, runId, reserve, left } = await userScene();
    await reserve(world.engine);
    await world.engine.spending.settle(person.payer, runId, 7 * USD);
    world.clock.advance(31 * DAY);
    const next = newId();
    return {
      run: reserveAs(person.payer, next),
      async check() {
        await world.recover();
        // All that was owed is paid once: 7 dollars less the 20 cents that were held.
        expect([await left(), (await world.engine.moneyIn.look(person)).owed.usd_micros]).toEqual([0, 1.8 * USD]);
      },
    };
  },
};

const MOST_CALLS = 40;

async function processThatIsCut(): Promise<{ engine: BillingEngine; store: Interruptible }> {
  const store = interruptible(world.db);
  return { engine: await world.process({}, store.db), store };
}

/** Lets processes die at ever later calls until one has left this behind. */
async function dieHavingDone(run: Scene['run'], done: () => Promise<boolean>): Promise<void> {
  for (let call = 0; call < MOST_CALLS; call++) {
    const { engine, store } = await processThatIsCut();
    const { interrupted } = store.interruptBefore(call);
    const ended = await Promise.race([interrupted.then(() => false), run(engine).then(() => true)]);
    expect(ended, 'it ended before').toBe(false);
    if (await done()) return;
  }
}

/** What an operation does goes on after its answer, until its entries are in the ledger. */
const wholly = (scene: Scene) => async (engine: BillingEngine) => {
  await scene.run(engine).catch((error) => {
    // What a rival did first may leave nothing to do.
    if (!(error instanceof Problem)) throw error;
  });
  await engine.ledger.flush();
};

async function recoverAndCheck(scene: Scene, repeated: boolean): Promise<void> {
  world.clock.advance(3 * MINUTE);
  await world.recover();
  expect(await world.audit()).toEqual([]);
  await scene.check(repeated);
}

describe.each(Object.keys(SCENES))('%s', (name) => {
  it('may die before any of its calls to the store', async () => {
    for (let call = 0; call < MOST_CALLS; call++) {
      const scene = await (SCENES[name] as () => Promise<Scene>)();
      const { engine, store } = await processThatIsCut();
      const { interrupted } = store.interruptBefore(call);
      const ended = await Promise.race([interrupted.then(() => false), wholly(scene)(engine).then(() => true)]);
      await recoverAndCheck(scene, ended);
      await wholly(scene)(await world.process());
      await recoverAndCheck(scene, true);
      if (ended) {
        expect(call, 'nothing was cut').toBeGreaterThan(0);
        return;
      }
    }
    expect.unreachable('the operation never ends');
  });

  it('may sleep before any of its calls while a rival does it and the recovery runs', async () => {
    for (let call = 0; call < MOST_CALLS; call++) {
      const scene = await (SCENES[name] as () => Promise<Scene>)();
      const { engine, store } = await processThatIsCut();
      const { interrupted, resume } = store.interruptBefore(call);
      const running = wholly(scene)(engine);
      const ended = await Promise.race([interrupted.then(() => false), running.then(() => true)]);
      if (ended) return;
      await wholly(scene)(await world.process());
      await recoverAndCheck(scene, true);
      resume();
      await running;
      await recoverAndCheck(scene, true);
    }
    expect.unreachable('the operation never ends');
  });
});
