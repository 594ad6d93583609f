/** Memory that is used again: never by two at once, and never more of it than is worth keeping. */
import fc from 'fast-check';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { Room } from '../../platform/rooms.js';

const KIB = 1024;
const MIB = 1024 * KIB;

vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
afterAll(() => vi.useRealTimers());
/** Long enough that what nobody takes in the meantime is let go. */
const aWhile = () => vi.advanceTimersByTime(30_000);
beforeEach(aWhile);

const numbers = new WeakMap<ArrayBufferLike, number>();
let known = 0;
/** Which memory it is: a number of its own, since a matcher that fails would print the memory itself. */
function memoryOf({ buffer }: Buffer): number {
  const number = numbers.get(buffer) ?? ++known;
  numbers.set(buffer, number);
  return number;
}

const taken = (size: number, room = new Room()) => memoryOf(room.take(size));
const takenTogether = (count: number, size: number, room = new Room()) =>
  Array.from({ length: count }, () => taken(size, room));

function leftBehind(size: number, count = 1): number[] {
  const room = new Room();
  const memory = takenTogether(count, size, room);
  room.leave();
  return memory;
}

it.each([200 * KIB, 256 * KIB, 300 * KIB, 5 * MIB, 16 * MIB])(
  'what is left of %i bytes is given to the next who takes as much, and to nobody after',
  (size) => {
    const left = leftBehind(size);
    const room = new Room();
    const [next, ...later] = [taken(size, room), taken(size, room), taken(size)];
    expect([next]).toEqual(left);
    expect(later).not.toContain(next);
  },
);

it('what is left is given to one who takes a little less, but not to one who takes far less or more', () => {
  const left = leftBehind(MIB);
  for (const size of [MIB / 2, MIB + 1, 2 * MIB]) expect(left).not.toContain(taken(size));
  expect(left).toEqual([taken(MIB - 1)]);
});

it('what is not left is given to nobody', () => {
  const staying = new Room();
  const held = taken(MIB, staying);
  const forgotten = taken(MIB);
  leftBehind(MIB);
  const given = [...takenTogether(5, MIB), taken(MIB, staying)];
  expect(given).not.toContain(held);
  expect(given).not.toContain(forgotten);
});

it.each([0, 1, 100 * KIB, 16 * MIB + 1, 40 * MIB])('%i bytes are too few or too many to be kept', (size) => {
  const left = leftBehind(size);
  expect(left).not.toContain(taken(size));
  expect(new Room().take(size)).toHaveLength(size);
});

it('there is as much room as was asked for, and little more', () => {
  const sizes = fc.oneof(fc.integer({ min: 0, max: 20 * MIB }), fc.integer({ min: 0, max: MIB }));
  fc.assert(
    fc.property(sizes, (size) => {
      const room = new Room();
      const { length } = room.take(size);
      room.leave();
      expect(length).toBeGreaterThanOrEqual(size);
      expect(length).toBeLessThanOrEqual(size < 128 * KIB ? size : Math.max(256 * KIB, size * 1.25));
    }),
  );
});

it('leaving twice, or giving back what was left, gives nothing twice', () => {
  const room = new Room();
  const buffers = [room.take(MIB), room.take(MIB), room.take(MIB)] as const;
  room.giveBack(buffers[0]);
  room.giveBack(buffers[0]);
  room.leave();
  room.leave();
  for (const buffer of buffers) room.giveBack(buffer);
  const later = Array.from({ length: 9 }, () => taken(MIB));
  expect(new Set(later).size).toBe(9);
  expect(later).toEqual(expect.arrayContaining(buffers.map(memoryOf)));
});

it('what is given back ahead of the others is used again, and the others are not', () => {
  const room = new Room();
  const [first, second] = [room.take(MIB), room.take(MIB)];
  room.giveBack(first);
  const given = takenTogether(3, MIB);
  expect(given[0]).toBe(memoryOf(first));
  expect(given).not.toContain(memoryOf(second));
});

it('a room gives back nothing that is not its own, nor a part of what is', () => {
  const room = new Room();
  const own = room.take(MIB);
  const others = new Room().take(MIB);
  const foreign = Buffer.alloc(MIB);
  for (const buffer of [others, foreign, own.subarray(), Buffer.from(own.buffer)]) room.giveBack(buffer);
  room.giveBack(room.take(KIB));
  const given = takenTogether(5, MIB);
  for (const buffer of [own, others, foreign]) expect(given).not.toContain(memoryOf(buffer));
});

it('far more than is kept can be left, and taken again', () => {
  const left = leftBehind(8 * MIB, 40);
  for (let turn = 0; turn < 2; turn++) {
    const again = leftBehind(8 * MIB, 40);
    expect(new Set(again).size).toBe(40);
    expect(again.filter((memory) => left.includes(memory))).toHaveLength(12);
  }
});

it('what nobody takes for a while is let go, and makes place for other sizes', () => {
  const old = leftBehind(8 * MIB, 12);
  expect(leftBehind(MIB)).not.toContain(taken(MIB));
  aWhile();
  expect(leftBehind(MIB)).toContain(taken(MIB));
  expect(old).not.toContain(taken(8 * MIB));
});

it('what is taken again and again is kept', () => {
  const first = leftBehind(MIB);
  for (let turn = 0; turn < 10; turn++) {
    expect(leftBehind(MIB)).toEqual(first);
    vi.advanceTimersByTime(10_000);
  }
});

it('no two rooms hold the same memory, whatever is taken, given back, left and forgotten', () => {
  const ROOMS = 4;
  const which = fc.nat(ROOMS - 1);
  const act = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        does: fc.constant('take' as const),
        room: which,
        size: fc.constantFrom(KIB, 200 * KIB, 256 * KIB, 320 * KIB, 12 * MIB, 16 * MIB, 17 * MIB),
      }),
    },
    // Of all that was ever taken, by whomever, given back before or not.
    { weight: 3, arbitrary: fc.record({ does: fc.constant('giveBack' as const), room: which, nth: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('leave', 'forget', 'wait'), room: which }) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60, size: 'max' }), (acts) => {
      const open = () => ({ room: new Room(), holds: new Set<Buffer>() });
      const rooms = Array.from({ length: ROOMS }, open);
      const forgotten = new Set<number>();
      const all: Buffer[] = [];
      for (const step of acts) {
        const { room, holds } = rooms[step.room] as ReturnType<typeof open>;
        if ('size' in step) {
          const buffer = room.take(step.size);
          expect(buffer.length).toBeGreaterThanOrEqual(step.size);
          expect(forgotten.has(memoryOf(buffer))).toBe(false);
          holds.add(buffer);
          all.push(buffer);
        } else if ('nth' in step) {
          const buffer = all[step.nth % all.length];
          if (!buffer) continue;
          room.giveBack(buffer);
          holds.delete(buffer);
        } else if (step.does === 'leave') {
          room.leave();
          holds.clear();
        } else if (step.does === 'forget') {
          for (const buffer of holds) forgotten.add(memoryOf(buffer));
          rooms[step.room] = open();
        } else {
          vi.advanceTimersByTime(10_000);
        }
        const held = rooms.flatMap((each) => [...each.holds].map(memoryOf));
        expect(new Set(held).size).toBe(held.length);
      }
      for (const { room } of rooms) room.leave();
    }),
  );
});
