/** Ways to the database and the bucket of a world on which a test sees what is asked, and holds back answers. */
import { ObjectStore } from '../../../platform/s3.js';
import { type LiveImage, objectKey } from '../../../subgraphs/images/image/image.model.js';
import { openDetour } from '../../support/detour.js';
import type { World } from './world.js';

type Place = 'database' | 'bucket';

export type HeldAnswers = Awaited<ReturnType<typeof openHeldAnswers>>;

export async function openHeldAnswers({ mongo, s3 }: World) {
  const [, socket = ''] = /^mongodb:\/\/([^/?]+)/.exec(mongo.url) ?? [];
  const toDatabase = await openDetour({ path: decodeURIComponent(socket) });
  const toBucket = await openDetour({ host: '127.0.0.1', port: Number(new URL(s3.endpoint).port) });
  let reads: string[] = [];
  let givenUp = new Set<string>();
  let held = { database: nothing(), bucket: nothing() };
  const turn = (place: Place) => (asked: string, left: Promise<void>) => {
    const { about, until } = held[place];
    if (about.some((text) => asked.includes(text))) return Promise.race([until, left]);
  };
  toDatabase.beforeAnswering = turn('database');
  toBucket.beforeAnswering = turn('bucket');
  toBucket.beforeAsking = (asked, left) => {
    const key = /^GET \/darkroom\/(images\/\S+) /.exec(asked)?.[1];
    if (key === undefined) return;
    reads.push(key);
    void left.then(() => givenUp.add(key));
  };

  const endpoint = `http://${toBucket.address}`;
  return {
    toDatabase,
    mongoUrl: mongo.url.replace(socket, toDatabase.address),
    endpoint,
    openStore: () => new ObjectStore({ ...s3, endpoint, bucket: 'darkroom', forcePathStyle: true, credentials: s3 }),
    /** The keys of all objects that the bucket was asked for, in their order. */
    reads: () => reads,
    readsOf: ({ _id }: LiveImage) => reads.filter((key) => key === objectKey(_id)).length,
    /** Its connection was closed by whoever asked. */
    isGivenUp: ({ _id }: LiveImage) => givenUp.has(objectKey(_id)),
    hold(place: Place, { _id, token }: LiveImage): void {
      held[place].about.push(...(place === 'database' ? [_id, token] : [objectKey(_id)]));
    },
    /** What is asked from now on is held back only where a test says so anew. */
    release(place: Place): void {
      held[place].release();
      held[place] = nothing();
    },
    /** Between two tests. */
    reset(): void {
      for (const { release } of Object.values(held)) release();
      held = { database: nothing(), bucket: nothing() };
      reads = [];
      givenUp = new Set();
    },
    async close() {
      await toDatabase.close();
      await toBucket.close();
    },
  };
}

function nothing() {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { about: [] as string[], until, release };
}
