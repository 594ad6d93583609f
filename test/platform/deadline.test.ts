/** The time by which work must have ended, and what is left of it when the work has. */
import { getEventListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Deadline, heeding } from '../../platform/deadline.js';

it('comes when its time has', async () => {
  const deadline = new Deadline(20);
  expect([deadline.hasPassed, deadline.signal.aborted]).toEqual([false, false]);
  const busy = heeding(deadline.signal, pause(60_000, undefined, { ref: false }));
  await expect(busy).rejects.toMatchObject({ name: 'TimeoutError' });
  expect([deadline.hasPassed, deadline.signal.aborted]).toEqual([true, true]);
});

it('comes earlier when the caller calls off, with the reason of that', async () => {
  const caller = new AbortController();
  const deadline = new Deadline(60_000, caller.signal);
  caller.abort(new Error('not wanted'));
  await expect(heeding(deadline.signal, pause(0))).rejects.toThrow('not wanted');
  expect(deadline.hasPassed).toBe(false);
});

it('has come at once for a caller who has called off', () => {
  const { signal, hasPassed } = new Deadline(60_000, AbortSignal.abort(new Error('before')));
  expect(signal.reason).toMatchObject({ message: 'before' });
  expect(hasPassed).toBe(false);
});

it('leaves nothing with its caller, and never comes, once it was lifted', async () => {
  const caller = new AbortController();
  const deadline = new Deadline(10, caller.signal);
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
  deadline.lift();
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  caller.abort();
  await pause(30);
  expect([deadline.hasPassed, deadline.signal.aborted]).toEqual([false, false]);
});
