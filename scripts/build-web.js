/**
 * Builds the browser pages into dist/web, each file with a brotli and a gzip copy beside it, and a manifest of what
 * may be served. Does nothing when neither the sources nor the installed packages have changed.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'web');
const output = join(root, 'dist', 'web');
const stampFile = '.stamp';
const compressible = /\.(css|html|js|svg|ttf)$/;

const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

/** @returns {Promise<{ built: boolean, files: number, bytes: number, brotliBytes: number, ms: number }>} */
export async function buildWeb({ force = false } = {}) {
  const start = performance.now();
  const stamp = await fingerprint();
  const previous = await readFile(join(output, stampFile), 'utf8').catch(() => '');
  if (!force && previous === stamp) {
    return { built: false, files: 0, bytes: 0, brotliBytes: 0, ms: performance.now() - start };
  }

  const work = join(root, 'dist', `.web-${process.pid}`);
  try {
    await bundle(work);
    const totals = await finish(work, stamp);
    await replace(work, output);
    return { built: true, ...totals, ms: performance.now() - start };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fingerprint() {
  const hash = createHash('sha256');
  const files = [...(await list(sources)), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)];
  for (const file of files) {
    hash.update(`${relative(root, file)}\0`);
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

async function list(dir) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function bundle(outDir) {
  // Vite takes a NODE_ENV that it finds for the page's own, and React would be bundled with its development checks.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    const { build } = await import('vite');
    await build({ configFile: join(sources, 'vite.config.ts'), build: { outDir } });
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

async function finish(dir, stamp) {
  const names = (await list(dir)).map((file) => relative(dir, file).split(sep).join('/'));
  const files = await Promise.all(names.map((name) => compress(dir, name)));
  await writeFile(
    join(dir, 'manifest.json'),
    `${JSON.stringify({ files: files.map(({ name, encodings }) => ({ name, encodings })) }, null, 2)}\n`,
  );
  await writeFile(join(dir, stampFile), stamp);
  const sum = (key) => files.reduce((total, file) => total + file[key], 0);
  return { files: files.length, bytes: sum('bytes'), brotliBytes: sum('brotliBytes') };
}

async function compress(dir, name) {
  const path = join(dir, name);
  const body = await readFile(path);
  if (!compressible.test(name)) return { name, encodings: [], bytes: body.length, brotliBytes: body.length };
  const [br, gzipped] = await Promise.all([
    // Quality 11 would save another tenth and take ten times as long.
    brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    gz(body, { level: 9 }),
  ]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gzipped)]);
  return { name, encodings: ['br', 'gzip'], bytes: body.length, brotliBytes: br.length };
}

/** A server that starts in the middle of a build finds the old pages or the new ones, never half of them. */
async function replace(from, to) {
  const old = `${from}-old`;
  await rename(to, old).catch(ignoreMissing);
  try {
    await rename(from, to);
  } catch (error) {
    // Another build got there first, from the same sources.
    if (!(await stat(to).catch(() => undefined))) throw error;
  } finally {
    await rm(old, { recursive: true, force: true });
  }
}

function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built, files, bytes, brotliBytes, ms } = await buildWeb({ force: process.argv.includes('--force') });
  const kib = (n) => `${Math.round(n / 1024)} KiB`;
  if (built) console.log(`web: ${files} files, ${kib(bytes)} (${kib(brotliBytes)} as brotli) in ${Math.round(ms)} ms`);
}
