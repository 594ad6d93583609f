/** The whole platform, as one process or as many, for tests that must hold in both shapes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { SUBGRAPH_NAMES, type SubgraphName } from '../../platform/subgraph.js';
import { type Mailbox, openMailbox } from './mailbox.js';
import { freePort, type Program, startProgram } from './process.js';

export interface Platform {
  url: string;
  mailbox: Mailbox;
  mongoUrl: string;
  /** The settings that all processes have, for commands given beside them. */
  env: Record<string, string>;
  /** Where the embedded engines keep their files. */
  dataDir: string;
  /** All processes; the one that callers reach comes first. */
  programs: Program[];
  stop(): Promise<void>;
}

export type Shape = (env?: Record<string, string>) => Promise<Platform>;

export const SECRET_KEY = 'a secret key that only the tests know, 32+';

/** Limits that a suite would run into only because it comes from one address. */
const ROOMY = {
  RATE_LIMIT_CODES_PER_ADDRESS: '0',
  RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  RATE_LIMIT_USER_LOOKUPS_PER_MINUTE: '0',
  RATE_LIMIT_OAUTH_CLIENTS_PER_HOUR: '0',
  LOG_LEVEL: 'info',
  SECRET_KEY,
};

export const oneProcess: Shape = async (env = {}) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-'));
  const mailbox = await openMailbox();
  const settings = { ...ROOMY, DATA_DIR: dataDir, SMTP_URL: mailbox.url, ...env };
  const program = await startProgram(['start'], settings);
  const mongoUrl = /MongoDB +(mongodb:\S+)/.exec(program.output())?.[1] ?? '';
  return {
    url: program.url,
    mailbox,
    mongoUrl,
    dataDir,
    env: settings,
    programs: [program],
    async stop() {
      await program.stop();
      await mailbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

export const manyProcesses: Shape = async (env = {}) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-'));
  const mailbox = await openMailbox();
  const mongo = await openEmbeddedMongo({ dataDir });
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'darkroom' });
  const shared = {
    ...ROOMY,
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    MONGODB_URL: mongo.url,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ...env,
  };
  // Some ask each other, so all have their places before the first one starts.
  const ports = new Map<SubgraphName, number>();
  for (const name of SUBGRAPH_NAMES) ports.set(name, await freePort());
  const addresses = Object.fromEntries(
    [...ports].map(([name, port]) => [`SUBGRAPH_${name.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
  );
  const started = new Map<SubgraphName, Program>();
  const start = async (name: SubgraphName) => {
    const PORT = String(ports.get(name));
    started.set(name, await startProgram(['subgraph', name], { ...shared, ...addresses, PORT }));
  };
  await Promise.all(SUBGRAPH_NAMES.map(start));
  const subgraphs = SUBGRAPH_NAMES.flatMap((name) => started.get(name) ?? []);
  const worker = await startProgram(['worker'], shared);
  const gateway = await startProgram(['gateway'], { ...shared, ...addresses });
  const programs = [gateway, ...subgraphs, worker];
  return {
    url: gateway.url,
    mailbox,
    mongoUrl: mongo.url,
    dataDir,
    env: shared,
    programs,
    async stop() {
      await Promise.all(programs.map((program) => program.stop()));
      await s3.close();
      await mongo.close();
      await mailbox.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

export const SHAPES: [string, Shape][] = [
  ['one process', oneProcess],
  ['many processes', manyProcesses],
];
