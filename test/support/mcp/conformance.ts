/** Runs the official conformance suite, which brings no credentials, against a door that wants them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Revision } from './client.js';

const SUITE = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
const HOOK = fileURLToPath(new URL('./conformance-on-node-20.mjs', import.meta.url));

export interface Scenario {
  name: string;
  passed: number;
  failures: string[];
}

export async function conformance(url: string, path: string, key: string, revision: Revision): Promise<Scenario[]> {
  const proxy = await withKey(url, key);
  const results = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const suite = spawn(
      process.execPath,
      ['--import', HOOK, SUITE, 'server', '--url', proxy.url + path, '--requirements', revision, '-o', results],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    for (const stream of [suite.stdout, suite.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    await once(suite, 'close');
    const scenarios = await Promise.all((await readdir(results)).map((folder) => read(results, folder)));
    if (scenarios.length < 20) throw new Error(`the suite did not run: ${output.slice(-2_000)}`);
    return scenarios;
  } finally {
    proxy.close();
    await rm(results, { recursive: true, force: true });
  }
}

async function read(results: string, folder: string): Promise<Scenario> {
  const checks = JSON.parse(await readFile(join(results, folder, 'checks.json'), 'utf8')) as {
    id: string;
    status: string;
    errorMessage?: string;
  }[];
  return {
    name: folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, ''),
    passed: checks.filter(({ status }) => status === 'SUCCESS').length,
    failures: checks
      .filter(({ status }) => status === 'FAILURE')
      .map(({ id, errorMessage = '' }) => `${id}: ${errorMessage.slice(0, 200)}`),
  };
}

async function withKey(target: string, key: string) {
  const server = createServer((asked, answer) => {
    const headers = { ...asked.headers, authorization: `Bearer ${key}` };
    const passed = request(new URL(asked.url ?? '/', target), { method: asked.method, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
