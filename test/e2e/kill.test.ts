/** kill -9 during writes, again and again: what was acknowledged is there, and no handle is held by nobody. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientOf } from '../support/client.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { SECRET_KEY } from '../support/platform.js';
import { type Program, startProgram } from '../support/process.js';

const ROUNDS = process.env['LONG'] ? 100 : 20;
const WRITERS = 6;

let dataDir: string;
let mailbox: Mailbox;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-kill-'));
  mailbox = await openMailbox();
});
afterAll(async () => {
  await mailbox?.close();
  await rm(dataDir, { recursive: true, force: true });
});

interface Acknowledged {
  /** By address: every key that was handed out, and the handles and teams that were confirmed. */
  keys: Map<string, string[]>;
  handles: Map<string, string>;
  teams: Map<string, string>;
}

function start(): Promise<Program> {
  return startProgram(['start'], {
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    SECRET_KEY,
    LOG_LEVEL: 'info',
    RATE_LIMIT_CODES_PER_ADDRESS: '0',
    RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  });
}

/** Writes until the server dies, and notes only what the server confirmed. */
async function write(program: Program, round: number, writer: number, noted: Acknowledged): Promise<void> {
  const client = clientOf({ url: program.url, mailbox });
  for (let i = 0; ; i++) {
    const name = `r${round}w${writer}n${i}`;
    const email = `${name}@example.com`;
    const { key } = await client.account(email);
    if (key === undefined) throw new Error('no key');
    noted.keys.set(email, [key]);
    const minted = await client.rest('POST', '/v1/api-keys', key, { name: 'second' });
    if (minted.status === 201) noted.keys.set(email, [key, minted.body.key]);
    if ((await client.rest('PATCH', '/v1/me', key, { handle: name })).status !== 200) continue;
    noted.handles.set(email, name);
    const renamed = `${name}-new`;
    const rename = client.rest('POST', '/v1/me/rename-handle', key, { handle: renamed });
    // Until the answer is here either name may be the right one.
    noted.handles.delete(email);
    if ((await rename).status === 200) noted.handles.set(email, renamed);
    if ((await client.rest('POST', '/v1/teams', key, { handle: `${name}-team` })).status === 201) {
      noted.teams.set(email, `${name}-team`);
    }
  }
}

async function verify(program: Program, { keys, handles, teams }: Acknowledged): Promise<void> {
  const client = clientOf({ url: program.url, mailbox });
  for (const [email, known] of keys) {
    for (const key of known) {
      const { status, body } = await client.rest('GET', '/v1/me', key);
      expect([status, body.email]).toEqual([200, email]);
      const handle = handles.get(email);
      if (handle !== undefined) expect(body.handle).toBe(handle);
    }
    const team = teams.get(email);
    if (team !== undefined) expect((await client.rest('GET', `/v1/teams/${team}`, known[0])).status).toBe(200);
  }
}

/** Every claim of a handle belongs to an owner who has it, or had it and holds it still. */
async function unheldHandles(program: Program): Promise<string[]> {
  const url = /MongoDB +(mongodb:\S+)/.exec(program.output())?.[1] ?? '';
  const mongo = await MongoClient.connect(url);
  try {
    const db = mongo.db('darkroom');
    const owners = new Set<string>();
    for (const name of ['accounts_users', 'accounts_teams']) {
      for (const { handle } of await db
        .collection(name)
        .find({ handle: { $type: 'string' } })
        .toArray())
        owners.add(handle);
    }
    const claims = await db.collection<{ _id: string; heldUntil?: Date }>('accounts_handles').find().toArray();
    const claimed = new Set(claims.map(({ _id }) => _id));
    const unclaimed = [...owners].filter((handle) => !claimed.has(handle)).map((handle) => `${handle} has no claim`);
    return [
      ...unclaimed,
      ...claims.filter(({ _id, heldUntil }) => !owners.has(_id) && !heldUntil).map(({ _id }) => _id),
    ];
  } finally {
    await mongo.close();
  }
}

function nothing(): Acknowledged {
  return { keys: new Map(), handles: new Map(), teams: new Map() };
}

it(`${ROUNDS} kills lose nothing that was acknowledged`, { timeout: ROUNDS * 45_000 }, async () => {
  const all = nothing();
  let latest = nothing();
  for (let round = 0; round < ROUNDS; round++) {
    const program = await start();
    // What the process before this one acknowledged.
    await verify(program, latest);
    const fresh = nothing();
    latest = fresh;
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      write(program, round, writer, fresh).catch(() => {}),
    );
    // A kill before anything was acknowledged would show nothing.
    await expect.poll(() => fresh.keys.size, { timeout: 20_000 }).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 700));
    await program.kill();
    await Promise.all(writers);
    for (const kind of ['keys', 'handles', 'teams'] as const) {
      for (const [email, value] of fresh[kind]) all[kind].set(email, value as never);
    }
  }

  const last = await start();
  await verify(last, all);
  // Claims whose owner never came are given up some seconds after.
  await expect.poll(() => unheldHandles(last), { timeout: 60_000, interval: 1_000 }).toEqual([]);
  await last.stop();
  const { keys, handles, teams } = all;
  console.info(`${ROUNDS} kills: ${keys.size} accounts, ${handles.size} handles and ${teams.size} teams all there`);
});
