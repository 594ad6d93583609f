import { expect, it } from 'vitest';
import { Cancellations } from '../../platform/cancellations.js';
import { LocalEvents } from '../../platform/events.js';

const cancellations = () => new Cancellations(new LocalEvents(), 'called-off');

it('ends the work of a name, and no other', () => {
  const all = cancellations();
  const [one, other] = [all.open('one'), all.open('other')];
  all.cancel('one');
  expect([one.signal.aborted, other.signal.aborted]).toEqual([true, false]);
});

it('reaches the work that goes on when a second request of its name has come and gone', () => {
  const all = cancellations();
  const first = all.open('one');
  all.open('one').close();
  all.cancel('one');
  expect(first.signal.aborted).toBe(true);
});

it('forgets what has ended', () => {
  const all = cancellations();
  const ended = all.open('one');
  ended.close();
  all.cancel('one');
  expect(ended.signal.aborted).toBe(false);
});
