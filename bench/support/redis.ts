/** A Redis of the benchmark's own, where the machine has the program. */
import { access } from 'node:fs/promises';
import { type Server, startServer } from './server.js';

const PROGRAMS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'];

export interface OwnRedis {
  url: string;
  stop: Server['stop'];
}

/** Null: there is none on this machine. */
export async function startRedis(core: readonly string[]): Promise<OwnRedis | null> {
  for (const program of PROGRAMS) {
    const found = await access(program).then(
      () => true,
      () => false,
    );
    if (!found) continue;
    const server = await startServer({
      core,
      program,
      args: async (port) => ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'],
      env: {},
      readyPath: null,
    });
    return { url: server.url.replace(/^http/, 'redis'), stop: () => server.stop() };
  }
  return null;
}
