/** `npm run audit:ledger`: whether every account adds up to its ledger. Reads alone, also while the platform runs. */
import 'reflect-metadata';
import { ConfigError, parseConfig, readEnvironment } from '../platform/config.js';
import { connectMongo } from '../platform/mongo/store.js';
import { audit } from '../subgraphs/billing/ledger/audit.js';
import { openStore } from '../subgraphs/billing/store.js';

const closers: (() => Promise<unknown>)[] = [];

/** The database at MONGODB_URL; else the engine of the process that runs on DATA_DIR; else one that is opened here. */
async function address(mongoUrl: string | undefined, dataDir: string): Promise<string> {
  if (mongoUrl !== undefined) return mongoUrl;
  const { lockDataDir } = await import('../platform/embedded/lock.js');
  const { EmbeddedError } = await import('../platform/embedded/error.js');
  try {
    const lock = await lockDataDir(dataDir);
    closers.push(() => lock.release());
  } catch (error) {
    const { findAddress } = await import('../platform/embedded/address.js');
    const running = error instanceof EmbeddedError ? await findAddress(dataDir) : undefined;
    if (running === undefined) throw error;
    return running;
  }
  const { openEmbeddedMongo } = await import('../platform/embedded/mongo.js');
  const engine = await openEmbeddedMongo({ dataDir });
  closers.push(() => engine.close());
  return engine.url;
}

async function main(): Promise<void> {
  const config = parseConfig(readEnvironment());
  const url = await address(config.MONGODB_URL, config.DATA_DIR);
  const { db, close } = await connectMongo({ url, database: config.MONGODB_DATABASE, appName: 'darkroom-audit' });
  closers.push(close);
  const { accounts, findings } = await audit(await openStore(db));
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  process.stdout.write(
    `${accounts} accounts, ${findings.length === 0 ? 'all of which add up' : `${findings.length} findings`}\n`,
  );
  if (findings.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`audit:ledger: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
} finally {
  while (closers.length > 0) await closers.pop()?.();
}
