/** Outputs and inputs of jobs as they are kept: once however many refer to them, until nobody does. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import type { ImagesSubgraph } from '../../subgraphs/images/subgraph.js';
import { smallPng } from '../images/support/pictures.js';
import { flaws, keep, objectsIn, openWorld, sweep, type World } from './support/world.js';

const DAY_MS = 24 * 60 * 60_000;

let world: World;
let images: ImagesSubgraph;
let other: ImagesSubgraph;

beforeAll(async () => {
  world = await openWorld();
  images = await world.open();
  other = await world.open();
});
afterAll(() => world?.close());

let size = 10;
/** No two are alike. */
const picture = () => smallPng(size++, 9);
const jobs = (count: number) => Array.from({ length: count }, newId);

async function idsOf(kept: Promise<{ image: { id: string } }>[]): Promise<string[]> {
  return (await Promise.all(kept)).map(({ image }) => image.id);
}

describe('an output', () => {
  it('is found by the hash of its bytes', async () => {
    const { image } = await keep(images, world.output(await picture(), { format: 'png' }));
    const found = await other.assets.find(image.id, null, 'r');
    expect(found).toMatchObject({
      id: image.id,
      contentType: 'image/png',
      url: `http://here.test/v2/assets/${image.id}`,
    });
    const read = await other.assets.read(image.id, 'r');
    expect(read?.bytes.length).toBe(image.sizeBytes);
  });

  it('is stored once for many jobs, and goes with the last of them', async () => {
    const bytes = await picture();
    const before = await objectsIn(world.store);
    const all = jobs(12);
    const ids = await idsOf(all.map((jobId, i) => keep(i % 2 ? images : other, world.output(bytes, { jobId }))));
    expect(new Set(ids).size).toBe(1);
    const [id = ''] = ids;
    expect((await objectsIn(world.store)).length).toBe(before.length + 1);
    await Promise.all(all.slice(1).map((jobId, i) => (i % 2 ? images : other).assets.drop(jobId, 'r')));
    expect(await images.assets.find(id, null, 'r')).not.toBeNull();
    await images.assets.drop(all[0] ?? '', 'r');
    expect(await images.assets.find(id, null, 'r')).toBeNull();
    expect(await objectsIn(world.store)).toEqual(before);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it('of one job is what was kept first, whatever comes later and whoever is at it', async () => {
    const jobId = newId();
    const offers = await Promise.all([picture(), picture(), picture(), picture()]);
    const ids = await idsOf(
      offers.map((bytes, i) => keep(i % 2 ? images : other, world.output(bytes, { jobId, format: 'png' }))),
    );
    expect(new Set(ids).size).toBe(1);
    expect((await keep(images, world.output(await picture(), { jobId }))).image.id).toBe(ids[0]);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it('is refused for a job that was dropped, before and while it is kept', async () => {
    const jobId = newId();
    await images.assets.drop(jobId, 'r');
    await expect(keep(images, world.output(await picture(), { jobId }))).rejects.toMatchObject({ slug: 'not_found' });
    for (let wait = 0; wait < 24; wait += 2) {
      const under = newId();
      const keeping = keep(images, world.output(await picture(), { jobId: under })).catch(() => null);
      await pause(wait);
      await other.assets.drop(under, 'r');
      const kept = await keeping;
      if (kept) expect(await images.assets.find(kept.image.id, null, 'r')).toBeNull();
    }
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it('comes and goes and comes again, by many at once, and is there for whoever holds it', async () => {
    const bytes = await picture();
    const lasting = jobs(6);
    const passing = jobs(40);
    const kept: string[] = [];
    await Promise.all([
      ...lasting.map(async (jobId, i) => {
        await pause(15 * i);
        kept.push((await keep(images, world.output(bytes, { jobId }))).image.id);
        await images.assets.drop(jobId, 'r');
        const again = newId();
        kept.push((await keep(other, world.output(bytes, { jobId: again }))).image.id);
        expect(await images.assets.read(kept.at(-1) ?? '', 'r')).not.toBeNull();
      }),
      ...passing.map(async (jobId, i) => {
        await pause(3 * i);
        await keep(i % 2 ? images : other, world.output(bytes, { jobId }));
        await (i % 3 ? images : other).assets.drop(jobId, 'r');
      }),
    ]);
    expect(new Set(kept).size).toBe(1);
    expect(await images.assets.read(kept[0] ?? '', 'r')).not.toBeNull();
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it('ends with the time that its job gave it, also before it is swept', async () => {
    const soon = new Date(world.now().getTime() + DAY_MS);
    const { image } = await keep(images, world.output(await picture(), { expiresAt: soon }));
    world.pass(DAY_MS + 1000);
    expect(await images.assets.find(image.id, null, 'r')).toBeNull();
    expect(await images.assets.read(image.id, 'r')).toBeNull();
    await sweep(images);
    expect(await world.collections.assets.countDocuments({ address: image.id })).toBe(0);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });
});

describe('an input', () => {
  it('is read by its job alone, and has no address', async () => {
    const bytes = await picture();
    const input = world.input(bytes);
    const facts = await images.assets.keepInput(input, 'r');
    expect(facts).toMatchObject({ contentType: 'image/png', sizeBytes: bytes.length, height: 9 });
    const read = await other.assets.readInput(input.jobId, 'image', 'r');
    expect(Buffer.compare(Buffer.from(read?.bytes ?? []), bytes)).toBe(0);
    expect(await other.assets.readInput(input.jobId, 'mask', 'r')).toBeNull();
    expect(await other.assets.readInput(newId(), 'image', 'r')).toBeNull();
    const [asset] = await world.collections.assets.find({ address: { $regex: `^input:${input.jobId}` } }).toArray();
    const hash = asset?.address.split('/').at(-1) ?? '';
    expect(await images.assets.find(hash, null, 'r')).toBeNull();
  });

  it('stays a day after its job has ended, and goes with the job', async () => {
    const input = world.input(await picture());
    await images.assets.keepInput(input, 'r');
    await images.assets.keepInput({ ...input, role: 'mask' }, 'r');
    world.pass(DAY_MS - 60_000);
    await images.assets.keepInputsUntil(input.jobId, new Date(world.now().getTime() + DAY_MS), 'r');
    world.pass(DAY_MS - 60_000);
    await sweep(images);
    expect(await images.assets.readInput(input.jobId, 'mask', 'r')).not.toBeNull();
    world.pass(120_000);
    expect(await images.assets.readInput(input.jobId, 'image', 'r')).toBeNull();
    await sweep(images);
    expect(await world.collections.references.countDocuments({ holder: `job:${input.jobId}` })).toBe(0);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it.each([
    ['no picture', Buffer.from('GIF, perhaps'), 'unsupported_image_type'],
    ['nothing', Buffer.alloc(0), 'validation_error'],
    ['too much', Buffer.alloc(26_214_401), 'file_too_large'],
  ])('that is %s is refused', async (_name, bytes, slug) => {
    const input = world.input(bytes);
    await expect(images.assets.keepInput(input, 'r')).rejects.toMatchObject({ slug });
    expect(await world.collections.references.countDocuments({ holder: `job:${input.jobId}` })).toBe(0);
  });
});

describe('a variant', () => {
  it('is made once however many ask, and goes with its asset', async () => {
    const jobId = newId();
    const before = await objectsIn(world.store);
    const { image } = await keep(images, world.output(await smallPng(640, 480), { jobId, format: 'png' }));
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 ? images : other).assets.find(image.id, 'thumbnail', 'r')),
    );
    expect(new Set(asked.map((found) => found?.objectId)).size).toBe(1);
    expect(asked[0]).toMatchObject({ width: 256, height: 256, url: `${image.url}?preset=thumbnail` });
    expect((await objectsIn(world.store)).length).toBe(before.length + 2);
    // No variants of variants.
    expect(await images.assets.find(asked[0]?.id ?? '', null, 'r')).toBeNull();
    await images.assets.drop(jobId, 'r');
    expect(await images.assets.find(image.id, 'thumbnail', 'r')).toBeNull();
    expect(await objectsIn(world.store)).toEqual(before);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });

  it('that is being made while its asset ends is not left behind', async () => {
    for (let wait = 0; wait < 30; wait += 3) {
      const jobId = newId();
      const { image } = await keep(images, world.output(await picture(), { jobId, format: 'png' }));
      const making = images.assets.find(image.id, 'portrait', 'r').catch(() => null);
      await pause(wait);
      await other.assets.drop(jobId, 'r');
      await making;
    }
    await sweep(images);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });
});
