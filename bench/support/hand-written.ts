/** The plain Fastify programs that ours are measured against. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../section.js';
import { type Server, startServer } from './server.js';

function program(name: string): string {
  return fileURLToPath(new URL(`../servers/${name}.js`, import.meta.url));
}

export async function startBare({ world, cores }: Bench, name: string, answer: unknown): Promise<Server> {
  const file = join(await world.directory(name), 'answer.json');
  await writeFile(file, JSON.stringify(answer));
  return startServer({
    core: cores.front,
    args: [program('bare')],
    env: { BENCH_ANSWER_FILE: file },
    readyPath: '/healthz',
  });
}

export function startTwin({ world, cores }: Bench): Promise<Server> {
  const { mongoUrl, databases, callersFile } = world;
  return startServer({
    core: cores.front,
    args: [program('twin')],
    env: { MONGODB_URL: mongoUrl, MONGODB_DATABASE: databases.one, BENCH_CALLERS_FILE: callersFile },
    readyPath: '/healthz',
  });
}
