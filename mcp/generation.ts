/** Pictures from the request to the end, for a caller who waits and may call it off. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../platform/errors.js';
import { newId } from '../platform/ids.js';
import type { Scope } from '../platform/scope.js';
import type { RouteInput } from '../rest-shim/route.js';
import type { ReadyRow, Rows } from '../rest-shim/rows.js';
import type { OwnCall } from './toolbox.js';

/** Clients give up after a minute unless they are told otherwise, and are to have the job by then. */
const WAIT_MS = 50_000;
const FIRST_LOOK_MS = 100;
const LOOK_MS = 1_000;
const NOT_ENDED = new Set(['queued', 'processing']);

export interface JobRows {
  create: ReadyRow;
  get: ReadyRow;
  remove: ReadyRow;
}

interface Job {
  job_id: string;
  state: string;
}

export function jobCall(rows: Rows, { create, get, remove }: JobRows): OwnCall {
  const about = ({ job_id }: Job): RouteInput => ({
    params: { job_id },
    query: {},
    body: {},
    idempotencyKey: undefined,
  });

  // What a request has read it does not read again, so each look is a request of its own.
  const look = async (job: Job, scope: Scope) => (await rows.run(get, about(job), reading(scope))) as Job;

  return async (input, scope, signal) => {
    const asked = { ...input, body: { ...input.body, sync: false } };
    let job = (await rows.run(create, asked, scope)) as Job;
    const until = performance.now() + WAIT_MS;
    let pause = FIRST_LOOK_MS;
    while (NOT_ENDED.has(job.state) && performance.now() < until) {
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      job = await look(job, scope);
      if (signal.aborted && NOT_ENDED.has(job.state)) return callOff(job, scope);
      pause = Math.min(pause * 1.5, LOOK_MS);
    }
    return job;
  };

  /** What has not been drawn yet is not drawn, and nothing of it is charged. What is paid for is not taken away. */
  async function callOff(job: Job, scope: Scope): Promise<never> {
    await rows.run(remove, about(job), { ...scope });
    throw new Problem('cancelled', undefined, { extra: { job_id: job.job_id } });
  }
}

/** Whoever may generate is answered with the job, whether or not the key may look at others. */
function reading(scope: Scope): Scope {
  const { caller } = scope;
  return { ...scope, caller: caller && { ...caller, scopes: [...caller.scopes, 'read'] } };
}

export interface RunParts {
  rows: Rows;
  run: ReadyRow;
  /** Calls off the run of a name. */
  cancel(key: string, scope: Scope): Promise<void>;
}

/** A run that is not named yet cannot be called off, and the notice may be faster than the run: so it is repeated. */
const REPEAT_MS = 250;

export function runCall({ rows, run, cancel }: RunParts): OwnCall {
  return async (input, scope, signal) => {
    const key = input.idempotencyKey ?? newId();
    let repeat: NodeJS.Timeout | undefined;
    const callOff = () => {
      repeat = setTimeout(callOff, REPEAT_MS);
      // What is not called off is drawn, and charged.
      cancel(key, { ...scope }).catch(() => undefined);
    };
    if (signal.aborted) callOff();
    else signal.addEventListener('abort', callOff, { once: true });
    try {
      return await rows.run(run, { ...input, idempotencyKey: key }, scope);
    } finally {
      signal.removeEventListener('abort', callOff);
      clearTimeout(repeat);
    }
  };
}
