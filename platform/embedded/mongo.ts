/** MongoDB's engine inside this process, for those who have not set MONGODB_URL. */
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { fitsSocketAddress, MAX_SOCKET_PATH, publishAddress, withdrawAddress } from './address.js';
import { type EmbeddedServer, loadEngine } from './engine.js';
import { EmbeddedError } from './error.js';
import { privateDirectory } from './files.js';

export interface EmbeddedMongoOptions {
  dataDir: string;
  /** Where libraries that had to be adapted to this machine are kept between starts. Default: ~/.cache/darkroom */
  cacheDir?: string;
  log?: Logger;
}

export interface EmbeddedMongo {
  /**
   * A driver URL, good for every process of this user on this machine. It sets the one write concern with which a write
   * is on disk when it is acknowledged; do not override it, least of all with "majority".
   */
  url: string;
  /** Ends the connections, waits for commands in flight and writes a checkpoint. Close the clients first. */
  close(): Promise<void>;
}

/** The engine allows itself once in a process. It asks for no password: who can reach the socket can do anything. */
export async function openEmbeddedMongo({ dataDir, cacheDir, log }: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const root = resolve(dataDir);
  const directory = join(root, 'mongo');
  requireSocketRoom();
  const engine = await loadEngine([cacheDir ?? userCache(), join(root, 'cache')].filter((path) => path !== undefined));
  await privateDirectory(directory);
  const server = await engine.open(directory).catch((error: Error) => {
    throw new EmbeddedError(`The embedded MongoDB engine could not open ${directory}: ${error.message}`, {
      cause: error,
    });
  });
  try {
    const url = await publishAddress(root, server.socketPath);
    log?.info({ directory, url }, 'embedded MongoDB engine open');
    return { url, close: once(() => close(server, root)) };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function close(server: EmbeddedServer, root: string): Promise<void> {
  await server.close();
  await withdrawAddress(root);
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= action();
    return done;
  };
}

/** A user without an entry in the password file, as containers have them, may be without a home too. */
function userCache(): string | undefined {
  try {
    return join(homedir(), '.cache', 'darkroom');
  } catch {
    return undefined;
  }
}

/** The engine makes its socket in the system's temporary directory, and fails obscurely if the path is too long. */
function requireSocketRoom(): void {
  if (fitsSocketAddress(join(tmpdir(), 'embedded-mongodb-XXXXXX', 'mongodb.sock'))) return;
  const limit = `the path of a socket has at most ${MAX_SOCKET_PATH} bytes`;
  throw new EmbeddedError(`TMPDIR is too long for the embedded MongoDB engine (${limit}), for example TMPDIR=/tmp`);
}
