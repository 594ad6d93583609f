/** Pictures that the server has drawn, on this machine: saved, or shown by what the desktop shows pictures with. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Api } from './api.js';
import { Failure } from './failure.js';
import { type Terminal, write } from './terminal/terminal.js';

export async function savePictures(
  urls: readonly string[],
  output: string,
  api: Api,
  terminal: Terminal,
): Promise<void> {
  for (const [i, url] of urls.entries()) {
    const path = i === 0 ? output : numbered(output, i + 1);
    await save(url, path, api);
    await write(terminal.stderr, `saved ${path}\n`);
  }
}

function numbered(path: string, n: number): string {
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-${n}${extension}`);
}

/** Written aside, so that a half picture never has the name of a whole one. */
async function save(url: string, path: string, api: Api): Promise<void> {
  const aside = `${path}.part`;
  const answer = await api.fetch('GET', ours(url, api), { timeoutMs: 60_000, headers: { accept: 'image/*' } });
  if (!answer.body) throw new Failure(`${url} is empty`);
  try {
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(aside), { signal: api.signal });
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    if (api.signal.aborted) throw error;
    throw new Failure(`cannot save ${path}: ${(error as Error).message}`);
  }
}

/** A server behind another address than it was told names itself wrongly; its paths are right. */
function ours(url: string, api: Api): string {
  const { pathname, search } = new URL(url, api.server);
  return pathname + search;
}

export async function openPicture(url: string, api: Api, terminal: Terminal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'goodeye-'));
  const path = join(folder, basename(new URL(url, api.server).pathname));
  await save(url, path, api);
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  const child = spawn(opener, [path], { stdio: 'ignore', detached: true });
  child.on('error', () => void write(terminal.stderr, `there is no ${opener} here; the picture is ${path}\n`));
  child.unref();
}
