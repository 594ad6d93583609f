/**
 * Where the embedded database answers. The engine listens in a temporary directory with a new name at each start; a
 * link in the data directory gives it an address that stays.
 */
import { randomUUID } from 'node:crypto';
import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** sockaddr_un.sun_path less its NUL. Node 20 cuts a longer path off without a word, and listens somewhere else. */
export const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** The driver takes a host for a socket path if it ends in .sock. */
const LINK = 'mongo.sock';

/** What the engine calls its temporary directories, as one that was killed leaves them behind. */
const ENGINE_DIRECTORY = /^embedded-mongodb-\w{6}$/;

export function fitsSocketAddress(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH;
}

/** Points the link at `socketPath`. The caller holds the engine open, so an earlier target belongs to nobody. */
export async function publishAddress(dataDir: string, socketPath: string): Promise<string> {
  const link = join(dataDir, LINK);
  const stale = await target(link);
  if (stale !== undefined && stale !== socketPath && ENGINE_DIRECTORY.test(basename(dirname(stale)))) {
    await rm(dirname(stale), { recursive: true, force: true }).catch(() => {});
  }
  const draft = `${link}.${randomUUID()}`;
  await symlink(socketPath, draft);
  await rename(draft, link);
  return urlOf(link, socketPath);
}

export async function withdrawAddress(dataDir: string): Promise<void> {
  await rm(join(dataDir, LINK), { force: true });
}

/** The address of the engine that runs, or ran last, on `dataDir`. */
export async function findAddress(dataDir: string): Promise<string | undefined> {
  const link = join(dataDir, LINK);
  const socketPath = await target(link);
  return socketPath === undefined ? undefined : urlOf(link, socketPath);
}

async function target(link: string): Promise<string | undefined> {
  return readlink(link).catch(() => undefined);
}

/**
 * The engine flushes the journal before it acknowledges a write with { w: 1, j: true }. It does not for "majority": on a
 * server without replicas it takes that as done, and a killed process loses what it acknowledged just before.
 */
const DURABLE = 'w=1&journal=true';

/** A data directory may lie too deep for a socket address; the engine's own path is short, but changes. */
function urlOf(link: string, socketPath: string): string {
  const path = fitsSocketAddress(link) ? link : socketPath;
  return `mongodb://${encodeURIComponent(path)}/?directConnection=true&retryWrites=false&${DURABLE}`;
}
