/**
 * An upload in parts. Parts of one size, sent one after the other, are written to where they will stand in the object, so
 * that putting them together moves no bytes. Any other part has a file of its own.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Room } from '../rooms.js';

export type Bytes = Iterable<Buffer> | AsyncIterable<Buffer>;

export interface Saved {
  size: number;
  /** MD5 in hex. */
  md5: string;
}

/** What is known of a part once it is there as a whole. */
interface PartRecord extends Saved {
  /** Where it stands among the others; null: in a file of its own. */
  offset: number | null;
}

const BLOCK = 1024 * 1024;
const TOGETHER = 'together';

/** Writes from the beginning of a file. */
export async function save(content: Bytes, file: FileHandle): Promise<Saved> {
  const hash = createHash('md5');
  const size = await inBlocks(content, hash, async (block, position) => {
    await writeAll(file, block, position);
  });
  return { size, md5: hash.digest('hex') };
}

/** What is going on in an upload. Only this process writes to the store's directory. */
interface UnderWay {
  /** Parts that are being written to where they will stand. */
  places: Set<number>;
  /** They are being put together, so that nothing more may be written among them. */
  isEnding: boolean;
}

const underWay = new Map<string, UnderWay>();

async function during<T>(directory: string, work: (upload: UnderWay) => Promise<T>): Promise<T> {
  const upload = underWay.get(directory) ?? { places: new Set(), isEnding: false };
  underWay.set(directory, upload);
  try {
    return await work(upload);
  } finally {
    if (upload.places.size === 0 && !upload.isEnding) underWay.delete(directory);
  }
}

export async function savePart(directory: string, number: number, content: Bytes): Promise<Saved> {
  const part = await during(directory, async (upload) => {
    const [earlier, first] = await Promise.all([recordOf(directory, number), recordOf(directory, 1)]);
    // One that comes again, perhaps as another, must not be written over: until it is whole, the earlier one stands.
    const isAlone = earlier || upload.places.has(number) || upload.isEnding || (number !== 1 && first?.offset !== 0);
    if (isAlone) return saveAlone(directory, number, content);
    upload.places.add(number);
    try {
      return await saveTogether(directory, number, content, first?.size ?? Number.POSITIVE_INFINITY);
    } finally {
      upload.places.delete(number);
    }
  });
  // Not durable, as the part itself is not: a crash ends the upload.
  const draft = join(directory, `${number}.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(part));
  await rename(draft, join(directory, `${number}.json`));
  return part;
}

async function saveAlone(directory: string, number: number, content: Bytes): Promise<PartRecord> {
  const draft = join(directory, randomUUID());
  const file = await open(draft, 'wx');
  let saved: Saved;
  try {
    saved = await save(content, file);
  } finally {
    await file.close();
  }
  await rename(draft, join(directory, String(number)));
  return { ...saved, offset: null };
}

/** A part that turns out longer than the first one would run into the next, and moves to a file of its own. */
async function saveTogether(directory: string, number: number, content: Bytes, longest: number): Promise<PartRecord> {
  const offset = number === 1 ? 0 : (number - 1) * longest;
  const hash = createHash('md5');
  // Others follow the first: where there is nothing to follow, the upload has ended.
  const flags = number === 1 ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR;
  const together = await open(join(directory, TOGETHER), flags, 0o600);
  const draft = join(directory, randomUUID());
  let alone: FileHandle | null = null;
  let size: number;
  try {
    size = await inBlocks(content, hash, async (block, position) => {
      if (!alone && position + block.length > longest) {
        alone = await open(draft, 'wx');
        await copy(together, offset, position, alone, 0);
      }
      if (alone) await writeAll(alone, block, position);
      else await writeAll(together, block, offset + position);
    });
  } finally {
    await (alone as FileHandle | null)?.close();
    await together.close();
  }
  if (alone) await rename(draft, join(directory, String(number)));
  return { size, md5: hash.digest('hex'), offset: alone ? null : offset };
}

/** Gives the parts, in their order, one name. Can be done again where it was cut off. Null: one of them is not there. */
export function joinParts(
  directory: string,
  numbers: readonly number[],
  draft: string,
  object: string,
): Promise<Saved | null> {
  return during(directory, async (upload) => {
    const wasEnding = upload.isEnding;
    upload.isEnding = true;
    try {
      const parts: (PartRecord & { number: number })[] = [];
      for (const number of numbers) {
        const record = await recordOf(directory, number);
        if (!record) return null;
        parts.push({ ...record, number });
      }
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      // Whoever still writes among them would write to the object.
      const isWhole = upload.places.size === 0 && standTogether(parts);
      if (!isWhole || !(await finish(join(directory, TOGETHER), size, object))) {
        await concatenate(directory, parts, draft, object);
      }
      const hash = createHash('md5').update(Buffer.from(parts.map(({ md5 }) => md5).join(''), 'hex'));
      return { size, md5: `${hash.digest('hex')}-${parts.length}` };
    } finally {
      upload.isEnding = wasEnding;
    }
  });
}

function standTogether(parts: readonly PartRecord[]): boolean {
  let end = 0;
  return parts.every(({ offset, size }) => {
    const follows = offset === end;
    end += size;
    return follows;
  });
}

/** False where more is there than these parts. */
async function finish(together: string, size: number, object: string): Promise<boolean> {
  try {
    const file = await open(together, 'r+');
    try {
      if ((await file.stat()).size !== size) return false;
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(together, object);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // It has its name already, from a request whose answer was lost.
    const there = await stat(object);
    if (there.size !== size) throw error;
  }
  return true;
}

async function concatenate(
  directory: string,
  parts: readonly (PartRecord & { number: number })[],
  draft: string,
  object: string,
): Promise<void> {
  const file = await open(draft, 'wx');
  try {
    let position = 0;
    for (const { number, offset, size } of parts) {
      const from = await open(join(directory, offset === null ? String(number) : TOGETHER), 'r');
      try {
        await copy(from, offset ?? 0, size, file, position);
      } finally {
        await from.close();
      }
      position += size;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, object);
}

/** A single write may take less than it is given, on a disk that is nearly full. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error('the disk takes no more');
    written += bytesWritten;
  }
}

async function copy(from: FileHandle, start: number, length: number, to: FileHandle, position: number): Promise<void> {
  const block = Buffer.allocUnsafe(BLOCK);
  for (let copied = 0; copied < length; ) {
    const { bytesRead } = await from.read(block, 0, Math.min(BLOCK, length - copied), start + copied);
    if (bytesRead === 0) throw new Error('a part is shorter than it was');
    await writeAll(to, block.subarray(0, bytesRead), position + copied);
    copied += bytesRead;
  }
}

async function recordOf(directory: string, number: number): Promise<PartRecord | null> {
  try {
    return JSON.parse(await readFile(join(directory, `${number}.json`), 'utf8')) as PartRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}

/** What comes in small pieces is handed on in large ones. Returns how many bytes came. */
async function inBlocks(
  content: Bytes,
  hash: Hash,
  write: (block: Buffer, position: number) => Promise<void>,
): Promise<number> {
  const room = new Room();
  const block = room.take(BLOCK);
  let size = 0;
  let filled = 0;
  const pass = async (bytes: Buffer) => {
    hash.update(bytes);
    await write(bytes, size);
    size += bytes.length;
  };
  for await (const chunk of content) {
    if (filled + chunk.length > BLOCK) {
      await pass(block.subarray(0, filled));
      filled = 0;
    }
    if (chunk.length > BLOCK) {
      await pass(chunk);
    } else {
      block.set(chunk, filled);
      filled += chunk.length;
    }
  }
  await pass(block.subarray(0, filled));
  room.leave();
  return size;
}
