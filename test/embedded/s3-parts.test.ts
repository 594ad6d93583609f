import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { clientOf, temporaryDirectory } from './support.js';

const Bucket = 'pictures';
const PATIENT = { timeout: 20_000, interval: 20 };
const SIZE = 3_000;

let dataDir: string;
let store: EmbeddedS3;
let client: S3Client;
let uploads = 0;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  store = await openEmbeddedS3({ dataDir, bucket: Bucket });
  client = clientOf(store);
});

afterAll(async () => {
  client.destroy();
  await store.close();
});

/** An upload, and what S3 would know of it. */
class Upload {
  readonly model = new Map<number, Buffer>();

  private constructor(
    readonly Key: string,
    readonly UploadId: string,
  ) {}

  static async begin(ContentType?: string): Promise<Upload> {
    const Key = `in/${++uploads}/original`;
    const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType }));
    return new Upload(Key, UploadId);
  }

  get directory(): string {
    return join(dataDir, 's3', Bucket, '._S3rver_uploads', this.UploadId);
  }

  get object(): string {
    return join(dataDir, 's3', Bucket, `${this.Key}._S3rver_object`);
  }

  async send(PartNumber: number, Body: Buffer = randomBytes(SIZE)): Promise<void> {
    const { ETag } = await client.send(new UploadPartCommand({ ...this.#named(), PartNumber, Body }));
    expect(ETag).toBe(`"${md5(Body)}"`);
    this.model.set(PartNumber, Body);
  }

  /** A part whose first bytes have arrived on the disk. */
  async startSending(PartNumber: number, first: Buffer, ContentLength: number): Promise<Arriving> {
    const before = await this.bytesOnDisk();
    const Body = new Readable({ read() {} });
    Body.push(first);
    const abort = new AbortController();
    const command = new UploadPartCommand({ ...this.#named(), PartNumber, Body, ContentLength });
    const sent = client.send(command, { abortSignal: abort.signal });
    sent.catch(() => {});
    // The store may hold the last of it back, to write it in one piece with what follows.
    const arrived = Math.floor(first.length / MEBIBYTE) * MEBIBYTE * 0.9;
    await vi.waitFor(async () => expect(await this.bytesOnDisk()).toBeGreaterThan(before + arrived), PATIENT);
    return {
      push: (more) => Body.push(more),
      finish: async (rest) => {
        Body.push(rest);
        Body.push(null);
        await sent;
      },
      breakOff: async () => {
        abort.abort();
        await expect(sent).rejects.toThrow();
        // Until the store has noticed.
        await pause(100);
      },
    };
  }

  async bytesOnDisk(): Promise<number> {
    const names = await readdir(this.directory);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(this.directory, name)).then(
          ({ blocks }) => blocks * 512,
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async complete(numbers = this.#numbers()): Promise<string | undefined> {
    const Parts = numbers.map((PartNumber) => ({ PartNumber, ETag: md5(this.model.get(PartNumber) ?? NOTHING) }));
    const command = new CompleteMultipartUploadCommand({ ...this.#named(), MultipartUpload: { Parts } });
    const { ETag } = await client.send(command);
    return ETag;
  }

  async completeAndCompare(numbers = this.#numbers()): Promise<void> {
    const parts = numbers.map((number) => this.model.get(number) ?? NOTHING);
    const ETag = etagOf(parts);
    const whole = Buffer.concat(parts);
    expect(await this.complete(numbers)).toBe(ETag);
    expectSame(await this.content(), whole);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: this.Key }));
    expect(head).toMatchObject({ ETag, ContentLength: whole.length });
    expect(await unfinished()).not.toContain(this.UploadId);
    await expect(access(this.directory)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(join(dataDir, 's3/.incoming'))).toEqual([]);
  }

  async content(): Promise<Buffer> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: this.Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async abort(): Promise<void> {
    await client.send(new AbortMultipartUploadCommand(this.#named()));
  }

  /** The disk as a crash leaves it between the object's taking its name and its metadata. */
  async crashWhileCompleting(): Promise<void> {
    const together = join(this.directory, 'together');
    await truncate(together, Buffer.concat([...this.model.values()]).length);
    await mkdir(dirname(this.object), { recursive: true });
    await rename(together, this.object);
  }

  #named() {
    return { Bucket, Key: this.Key, UploadId: this.UploadId };
  }

  #numbers(): number[] {
    return [...this.model.keys()].sort((a, b) => a - b);
  }
}

interface Arriving {
  push(more: Buffer): void;
  finish(rest: Buffer): Promise<void>;
  breakOff(): Promise<void>;
}

const NOTHING: Buffer = Buffer.alloc(0);
const MEBIBYTE = 1024 * 1024;

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Says where they differ, and not in a thousand lines. */
function expectSame(bytes: Buffer, expected: Buffer): void {
  const wrong = bytes.equals(expected) ? -1 : bytes.findIndex((byte, i) => byte !== expected[i]);
  expect({ length: bytes.length, firstWrong: wrong }).toEqual({ length: expected.length, firstWrong: -1 });
}

function etagOf(parts: readonly Buffer[]): string {
  return `"${md5(Buffer.from(parts.map(md5).join(''), 'hex'))}-${parts.length}"`;
}

async function unfinished(): Promise<(string | undefined)[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return Uploads.map(({ UploadId }) => UploadId);
}

describe('the parts of an upload', () => {
  it.each([
    ['one part', [[1, SIZE]]],
    [
      'parts of one size and a shorter last one',
      [
        [1, SIZE],
        [2, SIZE],
        [3, SIZE],
        [4, 10],
      ],
    ],
    [
      'parts that come in the opposite order',
      [
        [4, 10],
        [3, SIZE],
        [2, SIZE],
        [1, SIZE],
      ],
    ],
    [
      'parts of which the second comes first',
      [
        [2, SIZE],
        [1, SIZE],
        [3, SIZE],
      ],
    ],
    [
      'parts of which the last comes before the middle one',
      [
        [1, SIZE],
        [3, SIZE],
        [2, SIZE],
      ],
    ],
    [
      'a first part that is smaller than the others',
      [
        [1, 100],
        [2, SIZE],
        [3, SIZE],
        [4, 10],
      ],
    ],
    [
      'a middle part that is larger than its place',
      [
        [1, SIZE],
        [2, SIZE + 1],
        [3, SIZE],
        [4, 10],
      ],
    ],
    [
      'a larger middle part that comes after the next',
      [
        [1, SIZE],
        [3, SIZE],
        [2, 2 * SIZE],
        [4, 10],
      ],
    ],
    [
      'a last part that is larger',
      [
        [1, SIZE],
        [2, 3 * SIZE],
      ],
    ],
    [
      'a middle part that is smaller than its place',
      [
        [1, SIZE],
        [2, SIZE - 1],
        [3, SIZE],
      ],
    ],
    [
      'parts of all sizes',
      [
        [1, 700],
        [2, 5_000],
        [3, 1],
        [4, 701],
        [5, 699],
      ],
    ],
    [
      'a last part that is empty',
      [
        [1, SIZE],
        [2, SIZE],
        [3, 0],
      ],
    ],
    [
      'a middle part that is empty',
      [
        [1, SIZE],
        [2, 0],
        [3, SIZE],
      ],
    ],
    [
      'a first part that is empty',
      [
        [1, 0],
        [2, SIZE],
        [3, SIZE],
      ],
    ],
    ['a single part that is empty', [[1, 0]]],
    [
      'numbers with gaps between them',
      [
        [1, SIZE],
        [3, SIZE],
        [10_000, 10],
      ],
    ],
    [
      'numbers that do not begin at 1',
      [
        [2, SIZE],
        [3, SIZE],
      ],
    ],
    [
      'parts of several blocks',
      [
        [1, 2_500_000],
        [2, 2_500_000],
        [3, 1_100_000],
      ],
    ],
    [
      'a part that outgrows its place after several blocks',
      [
        [1, 2_500_000],
        [2, 4_000_000],
        [3, 2_500_000],
      ],
    ],
  ] as [string, [number, number][]][])('make an object of %s', async (_, parts) => {
    const upload = await Upload.begin();
    for (const [number, size] of parts) await upload.send(number, randomBytes(size));
    await upload.completeAndCompare();
  });

  it.each([
    ['one size', [SIZE, SIZE, SIZE, SIZE, SIZE, SIZE, 10]],
    ['all sizes', [100, 5_000, 0, 4_000, 1, 3_000]],
    ['several blocks', [2_000_000, 2_000_000, 2_000_000, 50]],
  ])('can come in parallel, of %s', async (_, sizes) => {
    const upload = await Upload.begin();
    await Promise.all(sizes.map((size, i) => upload.send(i + 1, randomBytes(size))));
    await upload.completeAndCompare();
  });

  it('can come in parallel once the first one is there', async () => {
    const upload = await Upload.begin();
    await upload.send(1);
    await Promise.all([SIZE, 2 * SIZE, SIZE, 10].map((size, i) => upload.send(i + 2, randomBytes(size))));
    await upload.completeAndCompare();
  });

  it('are not copied when they have one size and come in order', async () => {
    const upload = await Upload.begin();
    for (const number of [1, 2, 3]) await upload.send(number);
    const { ino } = await stat(join(upload.directory, 'together'));
    await upload.completeAndCompare();
    expect(await stat(upload.object)).toMatchObject({ ino, size: 3 * SIZE });
  });

  it('keep the content type and the metadata that the upload began with', async () => {
    for (const sizes of [
      [SIZE, SIZE],
      [SIZE, 2 * SIZE],
    ]) {
      const upload = await Upload.begin('image/tiff');
      for (const [i, size] of sizes.entries()) await upload.send(i + 1, randomBytes(size));
      await upload.completeAndCompare();
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: upload.Key }));
      expect(head.ContentType).toBe('image/tiff');
    }
    const untold = await Upload.begin();
    await untold.send(1);
    await untold.complete();
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: untold.Key }));
    expect(head.ContentType).toBe('binary/octet-stream');
  });

  it('replace the object that was there', async () => {
    const upload = await Upload.begin();
    await client.send(new PutObjectCommand({ Bucket, Key: upload.Key, Body: randomBytes(50_000) }));
    await upload.send(1);
    await upload.completeAndCompare();
  });

  it('can be copied from an object, or from a range of it', async () => {
    const source = randomBytes(2 * SIZE);
    await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: source }));
    const upload = await Upload.begin();
    const copy = async (PartNumber: number, bytes: Buffer, CopySourceRange?: string) => {
      const { Key, UploadId } = upload;
      const CopySource = `${Bucket}/source`;
      const command = new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, CopySourceRange });
      expect((await client.send(command)).CopyPartResult?.ETag).toBe(`"${md5(bytes)}"`);
      upload.model.set(PartNumber, bytes);
    };
    await copy(1, source.subarray(0, SIZE), `bytes=0-${SIZE - 1}`);
    await copy(2, source.subarray(SIZE), `bytes=${SIZE}-${2 * SIZE - 1}`);
    await copy(3, source);
    await upload.completeAndCompare();
  });

  it('do as a plain map of them would, whatever their order, sizes and repetitions', async () => {
    const size = fc.oneof(fc.constant(1_000), fc.integer({ min: 0, max: 5_000 }));
    const part = fc.record({ number: fc.integer({ min: 1, max: 4 }), size });
    const together = fc.uniqueArray(part, { selector: ({ number }) => number, minLength: 1, maxLength: 3 });
    const sequence = fc.array(together, { minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        const upload = await Upload.begin();
        for (const step of steps) {
          await Promise.all(step.map(({ number, size }) => upload.send(number, randomBytes(size))));
        }
        await upload.completeAndCompare();
      }),
      { numRuns: 100 },
    );
  });
});

describe('a part that is sent again', () => {
  const AGAIN: [string, (earlier: Buffer) => Buffer][] = [
    ['the same bytes', (earlier) => earlier],
    ['other bytes', (earlier) => randomBytes(earlier.length)],
    ['more bytes', (earlier) => randomBytes(earlier.length + 500)],
    ['fewer bytes', (earlier) => randomBytes(earlier.length - 500)],
    ['no bytes', () => NOTHING],
  ];

  it.each([1, 2, 3].flatMap((number) => AGAIN.map(([what, bytes]) => [number, what, bytes] as const)))(
    'takes the place of the earlier one: part %i with %s',
    async (number, _, bytes) => {
      const upload = await Upload.begin();
      for (const each of [1, 2, 3]) await upload.send(each);
      await upload.send(number, bytes(upload.model.get(number) ?? NOTHING));
      await upload.completeAndCompare();
    },
  );

  it.each(AGAIN)('leaves those that follow as they are: part 1 with %s', async (_, bytes) => {
    const upload = await Upload.begin();
    for (const each of [1, 2]) await upload.send(each);
    await upload.send(1, bytes(upload.model.get(1) ?? NOTHING));
    for (const each of [3, 4]) await upload.send(each);
    await upload.completeAndCompare();
  });

  it('can come a third time', async () => {
    const upload = await Upload.begin();
    for (const size of [SIZE, 2 * SIZE, SIZE]) await upload.send(1, randomBytes(size));
    for (const size of [2 * SIZE, SIZE, SIZE]) await upload.send(2, randomBytes(size));
    await upload.completeAndCompare();
  });

  it.each([1, 2, 3])('leaves the earlier one when it breaks off: part %i', async (number) => {
    const upload = await Upload.begin();
    for (const each of [1, 2, 3]) await upload.send(each, randomBytes(2_000_000));
    const again = await upload.startSending(number, randomBytes(1_500_000), 2_000_000);
    await again.breakOff();
    await upload.completeAndCompare();
  });

  it.each([1, 2])('is whole when it broke off the first time: part %i', async (number) => {
    const upload = await Upload.begin();
    if (number === 2) await upload.send(1, randomBytes(2_000_000));
    const first = await upload.startSending(number, randomBytes(1_500_000), 2_000_000);
    await first.breakOff();
    await expect(upload.complete([number])).rejects.toMatchObject({ name: 'InvalidPart' });
    await upload.send(number, randomBytes(1_000));
    await upload.send(number + 1, randomBytes(1_000));
    await upload.completeAndCompare();
  });

  it.each([1, 2])('may overtake its first attempt with the same bytes: part %i', async (number) => {
    const upload = await Upload.begin();
    if (number === 2) await upload.send(1, randomBytes(3_000_000));
    const bytes = randomBytes(3_000_000);
    const slow = await upload.startSending(number, bytes.subarray(0, 1_500_000), bytes.length);
    await upload.send(number, bytes);
    await slow.finish(bytes.subarray(1_500_000));
    await upload.completeAndCompare();
  });

  it.each([1, 2])('is not mixed with a slower attempt that has other bytes: part %i', async (number) => {
    const upload = await Upload.begin();
    if (number === 2) await upload.send(1, randomBytes(3_000_000));
    const bytes = randomBytes(3_000_000);
    const slow = await upload.startSending(number, bytes.subarray(0, 1_500_000), bytes.length);
    await upload.send(number, randomBytes(3_000_000));
    await slow.finish(bytes.subarray(1_500_000));
    // The last to be whole is the one that counts.
    upload.model.set(number, bytes);
    await upload.completeAndCompare();
  });

  it.each([1, 2])('stands when a slower attempt with other bytes breaks off: part %i', async (number) => {
    const upload = await Upload.begin();
    if (number === 2) await upload.send(1, randomBytes(5_000_000));
    const slow = await upload.startSending(number, randomBytes(1_500_000), 5_000_000);
    await upload.send(number, randomBytes(5_000_000));
    slow.push(randomBytes(3_000_000));
    await pause(200);
    await slow.breakOff();
    await upload.completeAndCompare();
  });
});

describe('completing an upload', () => {
  it.each([[[1]], [[1, 2]], [[2]], [[2, 3]], [[1, 3]], [[4]], [[3, 4]]])(
    'takes the parts that it names, and forgets the others: %j',
    async (numbers) => {
      const upload = await Upload.begin();
      for (const number of [1, 2, 3]) await upload.send(number);
      await upload.send(4, randomBytes(10));
      await upload.completeAndCompare(numbers);
    },
  );

  it('is refused with a part that was never sent, and can be repeated without it', async () => {
    const upload = await Upload.begin();
    for (const number of [1, 2]) await upload.send(number);
    for (const numbers of [[1, 2, 3], [1, 3], [3]]) {
      await expect(upload.complete(numbers)).rejects.toMatchObject({ name: 'InvalidPart' });
      await expect(upload.content()).rejects.toMatchObject({ name: 'NoSuchKey' });
    }
    expect(await unfinished()).toContain(upload.UploadId);
    await upload.completeAndCompare([1, 2]);
  });

  it('is refused for an upload that was never begun, was completed or was aborted', async () => {
    const completed = await Upload.begin();
    await completed.send(1);
    await completed.completeAndCompare();
    await expect(completed.complete()).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expectSame(await completed.content(), completed.model.get(1) ?? NOTHING);
    const aborted = await Upload.begin();
    await aborted.send(1);
    await aborted.abort();
    await expect(aborted.complete()).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(aborted.content()).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('can be repeated after a crash before the metadata', async () => {
    const upload = await Upload.begin('image/tiff');
    for (const size of [SIZE, SIZE, 10]) await upload.send(upload.model.size + 1, randomBytes(size));
    await upload.crashWhileCompleting();
    await upload.completeAndCompare();
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: upload.Key }));
    expect(head.ContentType).toBe('image/tiff');
  });

  it('does not take an object of another size for what a crash left', async () => {
    const upload = await Upload.begin();
    for (const number of [1, 2]) await upload.send(number);
    await upload.crashWhileCompleting();
    const other = randomBytes(100);
    await client.send(new PutObjectCommand({ Bucket, Key: upload.Key, Body: other }));
    await expect(upload.complete()).rejects.toThrow();
    expectSame(await upload.content(), other);
    await upload.abort();
  });

  it('never makes up bytes: a part that comes after such a crash', async () => {
    const upload = await Upload.begin();
    for (const number of [1, 2]) await upload.send(number);
    await upload.crashWhileCompleting();
    const before = await upload.content();
    const sent = randomBytes(SIZE);
    await upload.send(3, sent).catch(() => {});
    const completed = await upload.complete([1, 2, 3]).catch(() => null);
    expectSame(await upload.content(), completed ? Buffer.concat([before, sent]) : before);
    await upload.abort();
  });

  it('never makes up bytes: more parts than in an attempt that failed', async () => {
    const upload = await Upload.begin();
    for (const number of [1, 2]) await upload.send(number);
    await mkdir(upload.object, { recursive: true });
    await expect(upload.complete([1])).rejects.toThrow();
    await rmdir(upload.object);
    await upload.completeAndCompare([1, 2]);
  });

  it('is not undone by a part that is still arriving', async () => {
    const upload = await Upload.begin();
    await upload.send(1, randomBytes(3_000_000));
    const late = await upload.startSending(2, randomBytes(1_500_000), 3_000_000);
    await upload.complete([1]);
    await late.finish(randomBytes(1_500_000)).catch(() => {});
    expectSame(await upload.content(), upload.model.get(1) ?? NOTHING);
    await expect(access(upload.directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a part is refused', () => {
  it.each([SIZE, 3_000_000])(
    'for an upload that was never begun, was completed or was aborted: %i bytes',
    async (n) => {
      const [completed, aborted] = [await Upload.begin(), await Upload.begin()];
      await completed.send(1);
      await completed.complete();
      await aborted.send(1);
      await aborted.abort();
      for (const UploadId of [completed.UploadId, aborted.UploadId, '0'.repeat(32), 'unknown']) {
        const command = new UploadPartCommand({ Bucket, Key: 'in/x', UploadId, PartNumber: 1, Body: randomBytes(n) });
        await expect(client.send(command)).rejects.toMatchObject({ name: 'NoSuchUpload' });
      }
      expect(await unfinished()).toEqual([]);
    },
  );

  it('for an upload that is aborted while it arrives', async () => {
    const upload = await Upload.begin();
    const arriving = await upload.startSending(1, randomBytes(1_500_000), 3_000_000);
    await upload.abort();
    await expect(arriving.finish(randomBytes(1_500_000))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(access(upload.directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('without the name of an upload', async () => {
    const other = await temporaryDirectory();
    const stranger = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    const itsClient = clientOf(stranger);
    try {
      const { UploadId = '' } = await itsClient.send(new CreateMultipartUploadCommand({ Bucket, Key: 'in/x' }));
      const command = new UploadPartCommand({ Bucket, Key: 'in/x', UploadId: '', PartNumber: 1, Body: 'x' });
      await expect.soft(itsClient.send(command)).rejects.toThrow();
      expect.soft(await readdir(join(other, 's3', Bucket, '._S3rver_uploads'))).toEqual([UploadId]);
      const { Uploads } = await itsClient.send(new ListMultipartUploadsCommand({ Bucket }));
      expect(Uploads).toMatchObject([{ UploadId }]);
    } finally {
      itsClient.destroy();
      await stranger.close();
    }
  });

  it.each(['0', '10001', 'abc', '-1', '1.5', ''])('with the number "%s"', async (number) => {
    const upload = await Upload.begin();
    const before = await readdir(upload.directory);
    const { Key, UploadId } = upload;
    const PartNumber = number as unknown as number;
    const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'x' });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidArgument' });
    expect(await readdir(upload.directory)).toEqual(before);
    await upload.abort();
  });

  it('never for its neighbours: an upload goes on after one', async () => {
    const upload = await Upload.begin();
    await upload.send(1);
    await expect(upload.send(0)).rejects.toMatchObject({ name: 'InvalidArgument' });
    await upload.send(10_000, randomBytes(10));
    await upload.completeAndCompare();
  });
});

it('an upload that is aborted is forgotten, with all that a kill left of it', async () => {
  const upload = await Upload.begin();
  await upload.send(1);
  await upload.send(2, randomBytes(2 * SIZE));
  await writeFile(join(upload.directory, 'left-by-a-kill'), 'half');
  await upload.abort();
  expect(await unfinished()).not.toContain(upload.UploadId);
  await expect(access(upload.directory)).rejects.toMatchObject({ code: 'ENOENT' });
});
