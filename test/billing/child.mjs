// A process that opens the data directory and, when it is told to by SIGUSR2, spends until it is killed:
// node child.mjs <compiled project> <data directory> <round> <cycles> <payers as JSON> <settings as JSON>
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [compiled, dataDir, round, cycles, payersJson, settingsJson] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(compiled, name)).href);
const say = (line) => process.stdout.write(`${line}\n`);

const { openEmbeddedMongo } = await load('platform/embedded/mongo.js');
const { connectMongo } = await load('platform/mongo/store.js');
const { Metrics } = await load('platform/metrics.js');
const { Secrets } = await load('platform/secrets.js');
const { createLog } = await load('platform/log.js');
const { createEngine } = await load('subgraphs/billing/engine.js');
const { openStore } = await load('subgraphs/billing/store.js');

const { url } = await openEmbeddedMongo({ dataDir });
const { db } = await connectMongo({ url, database: 'billing', appName: 'billing-child' });
const { spending } = createEngine(await openStore(db), {
  secrets: new Secrets('a secret for tests that is long enough'),
  metrics: new Metrics(),
  log: createLog({ level: 'warn', format: 'json', role: 'worker' }),
  settings: JSON.parse(settingsJson),
  now: () => new Date(),
});
const payers = JSON.parse(payersJson).map(({ createdAt, ...payer }) => ({
  ...payer,
  ...(createdAt && { createdAt: new Date(createdAt) }),
}));

const LANES = 24;
let started = 0;

async function lane() {
  while (started < Number(cycles)) {
    const i = started++;
    const runId = `${round}-${i}`;
    const which = i % payers.length;
    const payer = payers[which];
    await spending.reserve({ runId, payer, unit: 'usd_micros', amount: 1_000, purpose: 'generation' });
    say(`held ${which} ${runId}`);
    const { amount } = await spending.settle(payer, runId, 1 + (i % 1_500));
    say(`charged ${which} ${runId} ${amount}`);
  }
}

process.once('SIGUSR2', async () => {
  await Promise.all(Array.from({ length: LANES }, lane));
  say('all done');
});
setInterval(() => {}, 60_000);
say(`open ${url}`);
