// A process that keeps and drops outputs and inputs of jobs until it is killed:
// node child.mjs <compiled project> <address of MongoDB> <bucket as JSON> <pictures as JSON of base64>
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [compiled, mongoUrl, bucketJson, picturesJson] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(compiled, name)).href);
const say = (line) => process.stdout.write(`${line}\n`);

const { connectMongo } = await load('platform/mongo/store.js');
const { ObjectStore } = await load('platform/s3.js');
const { LocalEvents } = await load('platform/events.js');
const { createLog } = await load('platform/log.js');
const { newId } = await load('platform/ids.js');
const { Secrets } = await load('platform/secrets.js');
const { createImages } = await load('subgraphs/images/subgraph.js');

const bucket = JSON.parse(bucketJson);
const store = new ObjectStore({ ...bucket, bucket: 'darkroom', forcePathStyle: true, credentials: bucket });
const { db } = await connectMongo({ url: mongoUrl, database: 'test', appName: 'child' });
const { assets } = await createImages({
  db,
  store,
  events: new LocalEvents(),
  // Nobody is served here.
  secrets: new Secrets(randomBytes(32).toString('base64')),
  log: createLog({ level: 'fatal', format: 'json', role: 'worker' }),
  now: () => new Date(),
  settings: {
    publicUrl: 'http://here.test',
    maxUploadBytes: 26_214_400,
    anonymousTtlHours: 24,
    outputHosts: [],
    storageQuota: 0,
    allowPrivateFetch: false,
    backgroundRemover: null,
  },
});
const pictures = JSON.parse(picturesJson).map((text) => Buffer.from(text, 'base64'));
const any = (list) => list[Math.floor(Math.random() * list.length)];

async function lane() {
  for (;;) {
    const jobId = newId();
    const expiresAt = new Date(Date.now() + 86_400_000);
    const job = { jobId, ownerId: null, expiresAt };
    if (Math.random() < 0.3) await assets.keepInput({ ...job, role: 'image', bytes: any(pictures) }, 'r');
    const output = {
      format: 'png',
      quality: 85,
      size: null,
      removeBackground: false,
      source: { bytes: any(pictures) },
    };
    const preset = Math.random() < 0.3 ? 'thumbnail' : null;
    const { kept } = await assets.keepOutput({ ...job, ...output, preset }, 'r');
    say(`kept ${jobId} ${kept.image.id}`);
    if (Math.random() < 0.25) continue;
    say(`dropping ${jobId}`);
    await assets.drop(jobId, 'r');
    say(`dropped ${jobId}`);
  }
}

say('begun');
await Promise.all(Array.from({ length: 6 }, lane));
