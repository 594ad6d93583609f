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
  /** Where it stands among the others, or the file that it has for itself. */
  place: number | string;
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
  /** How many requests are about it. */
  users: number;
  /** Parts that are being written. */
  parts: Set<number>;
  /** How many put them together, so that nothing more may be written among them. */
  endings: number;
}

const underWay = new Map<string, UnderWay>();

async function during<T>(directory: string, work: (upload: UnderWay) => Promise<T>): Promise<T> {
  const upload = underWay.get(directory) ?? { users: 0, parts: new Set(), endings: 0 };
  underWay.set(directory, upload);
  upload.users += 1;
  try {
    return await work(upload);
  } finally {
    upload.users -= 1;
    if (upload.users === 0) underWay.delete(directory);
  }
}

export function savePart(directory: string, number: number, content: Bytes): Promise<Saved> {
  return during(directory, async (upload) => {
    const isOnly = !upload.parts.has(number);
    if (isOnly) upload.parts.add(number);
    try {
      const [earlier, first] = await Promise.all([recordOf(directory, number), recordOf(directory, 1)]);
      // One that comes again, perhaps as another, must not be written over: until it is whole, the earlier one stands.
      const isNew = isOnly && !earlier && upload.endings === 0;
      const part =
        isNew && (number === 1 || first?.place === 0)
          ? await saveTogether(directory, number, content, first?.size ?? Number.POSITIVE_INFINITY)
          : await saveAlone(directory, content);
      // Not durable, as the part itself is not: a crash ends the upload.
      const draft = join(directory, `${number}.${randomUUID()}`);
      await writeFile(draft, JSON.stringify(part));
      await rename(draft, join(directory, `${number}.json`));
      return part;
    } finally {
      if (isOnly) upload.parts.delete(number);
    }
  });
}

async function saveAlone(directory: string, content: Bytes): Promise<PartRecord> {
  const place = randomUUID();
  const file = await open(join(directory, place), 'wx');
  try {
    return { ...(await save(content, file)), place };
  } finally {
    await file.close();
  }
}

/** A part that turns out longer than the first one would run into the next, and moves to a file of its own. */
async function saveTogether(directory: string, number: number, content: Bytes, longest: number): Promise<PartRecord> {
  const offset = number === 1 ? 0 : (number - 1) * longest;
  const hash = createHash('md5');
  // Others follow the first: where there is nothing to follow, the upload has ended.
  const flags = number === 1 ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR;
  const together = await open(join(directory, TOGETHER), flags, 0o600);
  const own = randomUUID();
  let alone: FileHandle | null = null;
  let size: number;
  try {
    size = await inBlocks(content, hash, async (block, position) => {
      if (!alone && position + block.length > longest) {
        alone = await open(join(directory, own), 'wx');
        await copy(together, offset, position, alone, 0);
      }
      if (alone) await writeAll(alone, block, position);
      else await writeAll(together, block, offset + position);
    });
  } finally {
    await (alone as FileHandle | null)?.close();
    await together.close();
  }
  return { size, md5: hash.digest('hex'), place: alone ? own : offset };
}

/** Gives the parts, in their order, one name. Can be done again where it was cut off. Null: one of them is not there. */
export function joinParts(
  directory: string,
  numbers: readonly number[],
  draft: string,
  object: string,
): Promise<Saved | null> {
  return during(directory, async (upload) => {
    upload.endings += 1;
    try {
      const parts: PartRecord[] = [];
      for (const number of numbers) {
        const record = await recordOf(directory, number);
        if (!record) return null;
        parts.push(record);
      }
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      // Whoever still writes among them would write to the object.
      const isWhole = upload.parts.size === 0 && standTogether(parts);
      if (!isWhole || !(await finish(join(directory, TOGETHER), size, object))) {
        await concatenate(directory, parts, draft, object);
      }
      const hash = createHash('md5').update(Buffer.from(parts.map(({ md5 }) => md5).join(''), 'hex'));
      return { size, md5: `${hash.digest('hex')}-${parts.length}` };
    } finally {
      upload.endings -= 1;
    }
  });
}

function standTogether(parts: readonly PartRecord[]): boolean {
  let end = 0;
  return parts.every(({ place, size }) => {
    const follows = place === end;
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
  parts: readonly PartRecord[],
  draft: string,
  object: string,
): Promise<void> {
  const file = await open(draft, 'wx');
  try {
    let position = 0;
    for (const { place, size } of parts) {
      const isOwn = typeof place === 'string';
      const from = await open(join(directory, isOwn ? place : TOGETHER), 'r');
      try {
        await copy(from, isOwn ? 0 : place, size, file, position);
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
