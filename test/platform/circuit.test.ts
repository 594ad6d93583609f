import { Gauge, Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { CircuitOpen, Circuits, type Verdict } from '../../platform/outbound/circuit.js';

const RULES = { failures: 3, openMs: 1_000, maxOpenMs: 3_000 };

class Failure extends Error {
  readonly verdict: Verdict;
  constructor(verdict: Verdict) {
    super(verdict);
    this.verdict = verdict;
  }
}

let now = 0;
let registry: Registry;
let circuits: Circuits;

beforeEach(() => {
  now = 0;
  registry = new Registry();
  const gauge = new Gauge({
    name: 'state',
    help: 'h',
    labelNames: ['target', 'state'] as const,
    registers: [registry],
  });
  circuits = new Circuits(gauge, RULES, () => now);
});

function call(outcome: 'ok' | Verdict): Promise<string> {
  return circuits.breaker('x').run(
    async () => {
      if (outcome !== 'ok') throw new Failure(outcome);
      return outcome;
    },
    (error) => (error instanceof Failure ? error.verdict : 'unknown'),
  );
}

const outcomeOf = (outcome: 'ok' | Verdict) => call(outcome).catch((error: Error) => error.constructor.name);

async function open(): Promise<void> {
  for (let i = 0; i < RULES.failures; i++) await outcomeOf('unhealthy');
}

async function shown(): Promise<string[]> {
  const { values } = (await registry.getSingleMetric('state')?.get()) ?? { values: [] };
  return values.filter(({ value }) => value === 1).map(({ labels }) => `${labels['target']} ${labels['state']}`);
}

describe('a circuit', () => {
  it('opens after failures in a row, and then asks nobody', async () => {
    await open();
    let asked = false;
    const run = circuits.breaker('x').run(
      async () => {
        asked = true;
      },
      () => 'unknown',
    );
    await expect(run).rejects.toThrow(CircuitOpen);
    expect(asked).toBe(false);
    expect(await shown()).toEqual(['x open']);
  });

  it('does not open for failures that come between answers, nor for refusals', async () => {
    for (const outcome of ['unhealthy', 'unhealthy', 'ok', 'unhealthy', 'unhealthy', 'healthy'] as const) {
      await outcomeOf(outcome);
    }
    for (let i = 0; i < 10; i++) await outcomeOf('healthy');
    expect(await shown()).toEqual(['x closed']);
  });

  it('lets one call through when its time is up, which closes it', async () => {
    await open();
    now = RULES.openMs;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const attempt = circuits.breaker('x').run(
      () => held,
      () => 'unknown',
    );
    expect(await shown()).toEqual(['x half_open']);
    expect(await outcomeOf('ok')).toBe('CircuitOpen');
    release();
    await attempt;
    expect(await shown()).toEqual(['x closed']);
    expect(await outcomeOf('ok')).toBe('ok');
  });

  it('stays open twice as long each time that attempt fails, up to a limit', async () => {
    await open();
    let at = 0;
    for (const wait of [1_000, 2_000, 3_000, 3_000]) {
      now = at + wait - 1;
      expect(await outcomeOf('ok')).toBe('CircuitOpen');
      now = at + wait;
      expect(await outcomeOf('unhealthy')).toBe('Failure');
      at = now;
    }
    now = at + 3_000;
    expect(await outcomeOf('ok')).toBe('ok');
    await open();
    now += 1_000;
    expect(await outcomeOf('ok')).toBe('ok');
  });

  it('tries again with the next call when the attempt said nothing', async () => {
    await open();
    now = RULES.openMs;
    expect(await outcomeOf('unknown')).toBe('Failure');
    expect(await shown()).toEqual(['x open']);
    expect(await outcomeOf('ok')).toBe('ok');
  });

  it('is not closed by an answer to what was asked before it opened', async () => {
    let answer = () => {};
    const early = circuits.breaker('x').run(
      () =>
        new Promise<void>((resolve) => {
          answer = resolve;
        }),
      () => 'unknown',
    );
    await open();
    answer();
    await early;
    expect(await outcomeOf('ok')).toBe('CircuitOpen');
  });

  it('is each target’s own', async () => {
    await open();
    const other = circuits.breaker('y').run(
      async () => 'fine',
      () => 'unknown',
    );
    expect(await other).toBe('fine');
    expect((await shown()).sort()).toEqual(['x open', 'y closed']);
    expect(circuits.breaker('x')).toBe(circuits.breaker('x'));
  });
});
