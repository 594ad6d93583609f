/** What is remembered of images, and when it is not. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Records } from '../../gateway/serving/records.js';
import { IMAGE_CHANGED, LocalEvents } from '../../platform/events.js';
import { newId } from '../../platform/ids.js';
import type { ServedImage } from '../../subgraphs/images/client.js';

const OWNER = newId();
const TOKEN = 'token';

let events: LocalEvents;
let records: Records;
/** Answers of the images subgraph that are still to come. */
let pending: ((image: ServedImage | null) => void)[];
let asked: number;
/** Of these, with the bytes. */
let askedAhead: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  events = new LocalEvents();
  pending = [];
  asked = 0;
  askedAhead = 0;
  const find = () => {
    asked += 1;
    return new Promise<ServedImage | null>((resolve) => pending.push(resolve));
  };
  const findAhead = async () => {
    askedAhead += 1;
    const found = await find();
    return found && { image: found, ahead: null };
  };
  records = new Records({ images: { find, findAhead }, events });
});
afterEach(() => {
  records.close();
  vi.useRealTimers();
});

function image(visibility: ServedImage['visibility'] = 'public'): ServedImage {
  return {
    id: 'id',
    ownerId: OWNER,
    visibility,
    contentType: 'image/png',
    sizeBytes: 1,
    sha256: 'hash',
    createdAt: new Date(0),
    expiresAt: null,
  };
}

async function answer(found: ServedImage | null): Promise<void> {
  pending.shift()?.(found);
  // As many turns as the way back takes.
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function remember(found = image()): Promise<void> {
  const asking = records.find(TOKEN, 'test');
  await answer(found);
  await asking;
}

it('asks once for a burst of requests', async () => {
  const burst = Array.from({ length: 20 }, () => records.find(TOKEN, 'test'));
  await answer(image());
  expect((await Promise.all(burst)).every((known) => known?.image.visibility === 'public')).toBe(true);
  expect(asked).toBe(1);
  expect(await records.find(TOKEN, 'test')).toBeTruthy();
  expect(asked).toBe(1);
});

it.each<[string, () => void]>([
  ['a notice', () => events.publish(IMAGE_CHANGED, TOKEN)],
  ['a change by its owner', () => records.forgetOwner(OWNER)],
])('forgets at %s', async (_name, change) => {
  await remember();
  events.publish(IMAGE_CHANGED, 'another');
  records.forgetOwner(newId());
  expect(records.fresh(TOKEN)).toBeTruthy();
  change();
  expect(records.fresh(TOKEN)).toBeUndefined();
});

it.each<[string, () => void]>([
  ['a notice', () => events.publish(IMAGE_CHANGED, TOKEN)],
  ['a change by its owner', () => records.forgetOwner(OWNER)],
])('does not remember an answer that %s has overtaken', async (_name, change) => {
  const early = records.find(TOKEN, 'test');
  change();
  // Whoever asks after the change is not given the answer from before it.
  const late = records.find(TOKEN, 'test');
  expect(asked).toBe(2);
  await answer(image('public'));
  expect((await early)?.image.visibility).toBe('public');
  expect(records.fresh(TOKEN)).toBeUndefined();
  await answer(image('private'));
  expect((await late)?.image.visibility).toBe('private');
  expect(records.fresh(TOKEN)?.picture).toBeNull();
});

it('does not let an answer that was overtaken replace the one that came after', async () => {
  const early = records.find(TOKEN, 'test');
  events.publish(IMAGE_CHANGED, TOKEN);
  const late = records.find(TOKEN, 'test');
  const first = pending.shift();
  await answer(image('private'));
  await late;
  first?.(image('public'));
  await early;
  expect(records.fresh(TOKEN)?.image.visibility).toBe('private');
});

it('counts the age of an answer from the moment in which it was asked for', async () => {
  const asking = records.find(TOKEN, 'test');
  vi.advanceTimersByTime(1_500);
  await answer(image());
  await asking;
  vi.advanceTimersByTime(299);
  expect(records.fresh(TOKEN)).toBeTruthy();
  vi.advanceTimersByTime(1);
  expect(records.fresh(TOKEN)).toBeUndefined();
});

it('renews what is in use before it is too old, and nobody waits for that', async () => {
  await remember();
  vi.advanceTimersByTime(800);
  expect(records.fresh(TOKEN)).toBeTruthy();
  expect(asked).toBe(1);
  vi.advanceTimersByTime(200);
  for (let i = 0; i < 5; i++) expect(records.fresh(TOKEN)).toBeTruthy();
  expect(asked).toBe(2);
  await answer(image('private'));
  expect(records.fresh(TOKEN)?.image.visibility).toBe('private');
});

it('gives up what cannot be renewed when it is too old', async () => {
  await remember();
  vi.advanceTimersByTime(1_000);
  records.fresh(TOKEN);
  vi.advanceTimersByTime(800);
  expect(records.fresh(TOKEN)).toBeUndefined();
});

it('forgets what is gone when a renewal finds that out', async () => {
  await remember();
  vi.advanceTimersByTime(1_000);
  records.fresh(TOKEN);
  await answer(null);
  expect(records.fresh(TOKEN)).toBeUndefined();
});

it('asks for the bytes as well where nothing is known, and only there', async () => {
  const first = [records.findAhead(TOKEN, 'test'), records.findAhead(TOKEN, 'test')];
  await answer(image());
  await Promise.all(first);
  expect([asked, askedAhead]).toEqual([1, 1]);
  vi.advanceTimersByTime(2_000);
  expect(records.fresh(TOKEN)).toBeUndefined();
  const stale = records.findAhead(TOKEN, 'test');
  await answer(image());
  expect((await stale)?.image.id).toBe('id');
  expect([asked, askedAhead]).toEqual([2, 1]);
  events.publish(IMAGE_CHANGED, TOKEN);
  const forgotten = records.findAhead(TOKEN, 'test');
  await answer(null);
  expect(await forgotten).toBeNull();
  expect([asked, askedAhead]).toEqual([3, 2]);
});

it('has nobody wait for bytes that others asked for', async () => {
  const withBytes = records.findAhead(TOKEN, 'test');
  const alone = records.find(TOKEN, 'test');
  expect([asked, askedAhead]).toEqual([2, 1]);
  const [forBytes] = pending.splice(0, 1);
  await answer(image());
  expect((await alone)?.image.id).toBe('id');
  forBytes?.(image());
  expect((await withBytes)?.image.id).toBe('id');
});
