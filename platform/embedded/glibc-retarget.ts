/**
 * Lets the engine's libraries load on a GNU C library older than the 2.38 that they were linked against. They use
 * nothing that is new in 2.38: the linker merely recorded the newest names and versions of functions that have always
 * been there. Rewriting the records is enough; no code changes.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ElfError, readDynamicNeeds } from './elf.js';
import { sha256OfFile, trustedDirectory, writeAtomically } from './files.js';

const TOO_NEW = 'GLIBC_2.38';

/** e_machine (EM_X86_64, EM_AARCH64), and the version under which glibc's first release for it has its symbols. */
const BASE_VERSIONS: ReadonlyMap<number, string> = new Map([
  [62, 'GLIBC_2.2.5'],
  [183, 'GLIBC_2.17'],
]);

/** 2.38 renamed these functions for C23 (they now also read "0b101"); the plain name is the function before that. */
const C23_PREFIX = '__isoc23_';

/** 2.38 gave these a new version under the old name (fmod no longer calls a user's matherr); the base one is kept. */
const REVERSIONED: ReadonlySet<string> = new Set(['fmod', 'fmodf']);

/** A copy of an ELF64 shared object that needs no GLIBC_2.38. A copy of a copy is the same again. */
export function retargetGlibc(source: Buffer): Buffer {
  const { machine, versions, symbols } = readDynamicNeeds(source);
  const baseVersion = BASE_VERSIONS.get(machine);
  if (baseVersion === undefined) throw new ElfError(`The ELF file is for another machine (e_machine ${machine})`);
  const output = Buffer.from(source);
  const tooNew = versions.filter(({ version }) => version === TOO_NEW);
  if (tooNew.length === 0) return output;
  const base = versions.find(({ version }) => version === baseVersion);
  if (!base) throw new ElfError(`The ELF file does not name ${baseVersion}, so ${TOO_NEW} cannot be replaced by it`);

  const indexes = new Set(tooNew.map(({ index }) => index));
  for (const { name, nameOffset, versionIndex, at } of symbols) {
    if (!indexes.has(versionIndex)) continue;
    if (name.startsWith(C23_PREFIX)) {
      // st_name: names in .dynstr end with NUL, so the tail of one is a name too. DT_GNU_HASH lists defined symbols
      // only, so the table stays right.
      output.writeUInt32LE(nameOffset + C23_PREFIX.length, at);
    } else if (!REVERSIONED.has(name)) {
      throw new ElfError(`The ELF file needs ${name} of ${TOO_NEW}, which older versions do not have`);
    }
  }
  for (const { at } of tooNew) {
    output.writeUInt32LE(base.hash, at); // vna_hash
    output.writeUInt32LE(base.nameOffset, at + 8); // vna_name
  }
  return output;
}

/** Enters the cache key: raise it when retargetGlibc() comes to write other bytes. */
const RECIPE = 'retarget-glibc-1';

/**
 * Copies of `sources`, side by side in one directory of the cache, since one finds the other by its $ORIGIN. What is
 * there is used if its hash is the one that was recorded when it was written; anything else (a half-written or damaged
 * file) is made anew. Processes that do this at once write the same bytes.
 */
export async function retargetedCopies(sources: readonly string[], cacheDir: string): Promise<string[]> {
  const digests = await Promise.all(sources.map(sha256OfFile));
  const key = createHash('sha256')
    .update([RECIPE, ...digests].join('\n'))
    .digest('hex')
    .slice(0, 32);
  const directory = join(cacheDir, `embedded-mongodb-${key}`);
  await trustedDirectory(cacheDir);
  await trustedDirectory(directory);
  return Promise.all(sources.map((source) => retargetedCopy(source, join(directory, basename(source)))));
}

async function retargetedCopy(source: string, copy: string): Promise<string> {
  const record = `${copy}.sha256`;
  const recorded = await readFile(record, 'utf8').catch(ifMissing);
  if (recorded !== undefined && recorded === (await sha256OfFile(copy).catch(ifMissing))) return copy;
  const bytes = retargetGlibc(await readFile(source));
  await writeAtomically(copy, bytes);
  await writeAtomically(record, createHash('sha256').update(bytes).digest('hex'));
  return copy;
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
