/** The form parser by itself: any form, in any pieces, and what is no form. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UploadForm } from '../../gateway/uploads/form.js';
import { boundaryOf, MalformedForm, Multipart } from '../../gateway/uploads/multipart.js';

const BOUNDARY = 'x-boundary';

interface Given {
  name: string;
  bytes: Buffer;
  filename?: string;
}

function formOf(parts: readonly Given[], boundary = BOUNDARY): Buffer {
  const pieces = parts.flatMap(({ name, bytes, filename }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(body: AsyncIterable<Buffer>, boundary = BOUNDARY): Promise<Given[]> {
  const form = new Multipart(body, boundary);
  const found: Given[] = [];
  for (let part = await form.next(); part; part = await form.next()) {
    const chunks: Buffer[] = [];
    for (let chunk = await form.chunk(); chunk; chunk = await form.chunk()) chunks.push(chunk);
    found.push({ name: part.name, bytes: Buffer.concat(chunks), ...(part.isFile && { filename: 'f' }) });
  }
  return found;
}

const read = (text: string, sizes: number[] = [], boundary = BOUNDARY) =>
  readAll(inPieces(Buffer.from(text), sizes), boundary);

describe('a form', () => {
  // Bytes that look like the beginning of a delimiter are the ones that matter.
  const tricky = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          '\r\n-',
          '\r\n--',
          '\r\n--x-b',
          '\r\n--x-boundar',
          '\r\n--x-boundarz',
          '--',
          'a',
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => Buffer.from(pieces.join('')))
    .filter((bytes) => !`\r\n${bytes.toString('latin1')}\r\n`.includes(`\r\n--${BOUNDARY}`));
  const part = fc.record({ name: fc.constantFrom('file', 'visibility', 'é', 'a b'), bytes: tricky });

  it('gives its parts back, however it was cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
        async (parts, sizes) => {
          expect(await readAll(inPieces(formOf(parts), sizes))).toEqual(parts);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives large parts back', async () => {
    const parts = [
      { name: 'file', bytes: randomBytes(3_000_000), filename: 'f' },
      { name: 'after', bytes: Buffer.from('\r\n--x-b'.repeat(20_000)) },
    ];
    for (const size of [65_536, 1_000, 7_777_777]) {
      const found = await readAll(inPieces(formOf(parts), [size]));
      expect(found.map(({ bytes }, i) => parts[i]?.bytes.equals(bytes))).toEqual([true, true]);
    }
  });

  it('may pass over parts that nobody reads', async () => {
    const form = new Multipart(
      inPieces(
        formOf([
          { name: 'a', bytes: randomBytes(10) },
          { name: 'b', bytes: Buffer.from('b') },
        ]),
        [3],
      ),
      BOUNDARY,
    );
    expect(await form.next()).toMatchObject({ name: 'a' });
    expect(await form.next()).toMatchObject({ name: 'b' });
    expect((await form.chunk())?.toString()).toBe('b');
    expect(await form.next()).toBeNull();
  });

  it.each([
    ['a quoted name with quotes', 'form-data; name="a\\"b"', { name: 'a"b' }],
    ['a name without quotes', 'form-data; name=a', { name: 'a' }],
    ['parameters in any order and case', 'Form-Data; FILENAME="x;name=y"; Name="a"', { name: 'a', filename: 'f' }],
    ['a filename in RFC 5987 form', "form-data; name=a; filename*=UTF-8''x", { name: 'a', filename: 'f' }],
    ['a header that goes on in the next line', 'form-data;\r\n name="a"', { name: 'a' }],
    ['spaces around where it goes on', 'form-data; \t\r\n\t name=a;\r\n filename=x', { name: 'a', filename: 'f' }],
    ['an empty filename', 'form-data; name=a; filename=""', { name: 'a', filename: 'f' }],
  ])('is read with %s', async (_, disposition, expected) => {
    const text = `--${BOUNDARY}\r\ncontent-disposition: ${disposition}\r\n\r\n1\r\n--${BOUNDARY}--`;
    expect(await read(text)).toEqual([{ ...expected, bytes: Buffer.from('1') }]);
  });

  it('may have something before it and behind it, and spaces after a delimiter', async () => {
    const text = `before\r\n--${BOUNDARY} \t\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--${BOUNDARY}--\r\nbehind`;
    expect(await read(text, [1])).toEqual([{ name: 'a', bytes: Buffer.from('1') }]);
  });

  it('is a file where the part says that it is bytes', async () => {
    const text = `--${BOUNDARY}\r\ncontent-disposition: form-data; name=a\r\nContent-Type: application/octet-stream\r\n\r\n1\r\n--${BOUNDARY}--`;
    expect(await read(text)).toEqual([{ name: 'a', bytes: Buffer.from('1'), filename: 'f' }]);
  });

  it.each([
    ['nothing', ''],
    ['no delimiter', 'hello'],
    ['another boundary', '--y\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--y--'],
    ['a header cut short', `--${BOUNDARY}\r\ncontent-disposition: form-data; name=a`],
    ['a part cut short', `--${BOUNDARY}\r\ncontent-disposition: form-data; name=a\r\n\r\n12`],
    ['a delimiter cut short', `--${BOUNDARY}\r\ncontent-disposition: form-data; name=a\r\n\r\n12\r\n--${BOUNDARY}-`],
    ['a part without a name', `--${BOUNDARY}\r\ncontent-disposition: form-data\r\n\r\n1\r\n--${BOUNDARY}--`],
    [
      'a first line that goes on from none',
      `--${BOUNDARY} \r\n content-disposition: form-data; name=a\r\n\r\n1\r\n--${BOUNDARY}--`,
    ],
    ['a part without a header', `--${BOUNDARY}\r\n\r\n1\r\n--${BOUNDARY}--`],
    [
      'a part that is no form data',
      `--${BOUNDARY}\r\ncontent-disposition: attachment; name=a\r\n\r\n1\r\n--${BOUNDARY}--`,
    ],
    ['a longer boundary', `--${BOUNDARY}er\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--${BOUNDARY}--`],
    ['a header without end', `--${BOUNDARY}\r\ncontent-disposition: form-data; name=${'a'.repeat(9_000)}`],
    ['much before it', `${'a'.repeat(70_000)}\r\n--${BOUNDARY}--`],
    ['much behind it', `--${BOUNDARY}--${'a'.repeat(140_000)}`],
  ])('is not %s', async (_, text) => {
    for (const sizes of [[], [1], [997]]) await expect(read(text, sizes)).rejects.toBeInstanceOf(MalformedForm);
  });

  it('is searched in time that grows with its length, whatever stands in it', async () => {
    const almost = Buffer.from('\r\n--x-boundar'.repeat(400_000));
    const started = performance.now();
    await readAll(inPieces(formOf([{ name: 'a', bytes: almost }]), [65_536]));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('its type', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;charset=utf-8; Boundary="a b:c"', 'a b:c'],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, null],
    ['multipart/form-data', null],
    ['multipart/mixed; boundary=abc', null],
    [undefined, null],
  ])('%s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });
});

describe('a form with one file', () => {
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
  const file = { name: 'file', bytes: Buffer.from('picture'), filename: 'a.png' };
  const field = (name: string, value = '1') => ({ name, bytes: Buffer.from(value) });

  async function take(parts: readonly Given[], sizes: number[] = [5]) {
    const form = new UploadForm(headers, inPieces(formOf(parts), sizes));
    let bytes = '';
    for await (const chunk of form.bytes()) bytes += chunk.toString();
    return { bytes, fields: await form.fields() };
  }

  it('has fields before the file and behind it', async () => {
    expect(await take([field('a'), file, field('b', 'é')])).toEqual({ bytes: 'picture', fields: { a: '1', b: 'é' } });
  });

  it.each([
    ['no file', [field('a')], /^file: is required/],
    ['a file of another name', [{ ...file, name: 'image' }], /one file/],
    ['two files', [file, file], /one file/],
    ['a field twice', [field('a'), field('a'), file], /twice/],
    ['a field twice, before and behind', [field('a'), file, field('a')], /twice/],
    ['a field that is too long', [field('a', 'x'.repeat(1_001)), file], /too long/],
    ['a name that is too long', [field('a'.repeat(101)), file], /too long/],
    ['too many parts', [...Array.from({ length: 21 }, (_, i) => field(`f${i}`)), file], /too many parts/],
  ])('is refused with %s', async (_, parts, reason) => {
    await expect(take(parts)).rejects.toMatchObject({
      slug: 'validation_error',
      message: expect.stringMatching(reason),
    });
  });

  it('leaves the rest of the body where it is once nobody wants it', async () => {
    let given = 0;
    let isLeft = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        yield formOf([file]).subarray(0, -20);
        for (;;) {
          given += 1;
          yield Buffer.alloc(1_000);
        }
      } finally {
        isLeft = true;
      }
    }
    for await (const chunk of new UploadForm(headers, endless()).bytes()) {
      expect(chunk.length).toBeGreaterThan(0);
      if (given > 2) break;
    }
    expect({ given, isLeft }).toEqual({ given: 3, isLeft: true });
  });
});
