/**
 * ListObjectsV2. s3rver's own breaks off at the first full page (it seals its tokens with a cipher that OpenSSL 3 no
 * longer has), walks the directories in an order that is not the one of the keys, so that pages would skip some, and
 * escapes keys twice.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type FilesystemStore from '@20minutes/s3rver/lib/stores/filesystem.js';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

const OBJECT_SUFFIX = '._S3rver_object';
const MAX_KEYS = 1000;

/** The answer's XML. */
export async function listObjectsV2(store: FilesystemStore, bucket: string, query: Query): Promise<string> {
  const text = (name: string) => (typeof query[name] === 'string' ? query[name] : '');
  const prefix = text('prefix');
  const delimiter = text('delimiter');
  const token = text('continuation-token');
  const after = token === '' ? text('start-after') : Buffer.from(token, 'base64url').toString();
  const limit = Math.min(MAX_KEYS, text('max-keys') === '' ? MAX_KEYS : Number(text('max-keys')) || 0);

  const keys = await keysBelow(join(store.rootDirectory, bucket), '', prefix);
  const names = new Set(keys.sort().map((key) => nameOf(key, prefix, delimiter)));
  // A name that stands for several keys ends with the delimiter, and all of its keys come after it.
  const rest = [...names].filter((name) => name > after);
  const page = rest.slice(0, limit);
  const isGroup = (name: string) => delimiter !== '' && name.indexOf(delimiter, prefix.length) !== -1;
  const contents = await Promise.all(page.filter((name) => !isGroup(name)).map((key) => entryOf(store, bucket, key)));
  const last = page.at(-1);
  const truncated = last !== undefined && rest.length > page.length;
  return element('ListBucketResult', [
    element('Name', bucket),
    element('Prefix', prefix),
    element('Delimiter', delimiter),
    element('MaxKeys', limit),
    element('KeyCount', page.length),
    element('IsTruncated', truncated),
    truncated ? element('NextContinuationToken', Buffer.from(last).toString('base64url')) : '',
    ...contents,
    ...page.filter(isGroup).map((name) => element('CommonPrefixes', [element('Prefix', name)])),
  ]);
}

/** ListMultipartUploads, on one page: what is unfinished is little. s3rver has nothing of the kind. */
export function listUploads(
  bucket: string,
  prefix: string,
  uploads: readonly { key: string; uploadId: string }[],
): string {
  return element('ListMultipartUploadsResult', [
    element('Bucket', bucket),
    element('Prefix', prefix),
    element('IsTruncated', false),
    ...uploads
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, uploadId }) => element('Upload', [element('Key', key), element('UploadId', uploadId)])),
  ]);
}

/** Markup goes in as an array, values as they are. */
function element(name: string, content: string[] | string | number | boolean): string {
  const text = Array.isArray(content)
    ? content.join('')
    : String(content).replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<${name}>${text}</${name}>`;
}

/** The key, or what it has in common with others up to the first delimiter after the prefix. */
function nameOf(key: string, prefix: string, delimiter: string): string {
  const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return end === -1 ? key : key.slice(0, end + delimiter.length);
}

/** A key "a/b" is the file b in the directory a, with a suffix. */
async function keysBelow(directory: string, path: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(ifGone)) {
    const key = path + entry.name;
    if (entry.isDirectory()) {
      const below = `${key}/`;
      if (!below.startsWith(prefix) && !prefix.startsWith(below)) continue;
      for (const found of await keysBelow(join(directory, entry.name), below, prefix)) keys.push(found);
    } else if (key.endsWith(OBJECT_SUFFIX) && key.startsWith(prefix)) {
      keys.push(key.slice(0, -OBJECT_SUFFIX.length));
    }
  }
  return keys.filter((key) => key.startsWith(prefix));
}

/** Nothing for an object that was deleted meanwhile. */
async function entryOf(store: FilesystemStore, bucket: string, key: string): Promise<string> {
  const metadata = await store.getMetadata(bucket, key).catch(() => undefined);
  if (metadata === undefined) return '';
  return element('Contents', [
    element('Key', key),
    element('LastModified', new Date(metadata['last-modified']).toISOString()),
    element('ETag', metadata.etag),
    element('Size', metadata['content-length']),
    element('StorageClass', 'STANDARD'),
  ]);
}

function ifGone(error: NodeJS.ErrnoException): Dirent[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}
