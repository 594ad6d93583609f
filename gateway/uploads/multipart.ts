/**
 * The parts of a multipart/form-data body (RFC 7578), taken from it one after the other by whoever reads them. Bytes are
 * handed on as slices of what came in.
 */

export class MalformedForm extends Error {}

export interface Part {
  name: string;
  isFile: boolean;
}

const CR = 0x0d;
const DASHES = '--';
const LINE = '\r\n';
const BLANK_LINE = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

const MOST_HEADER_BYTES = 8_192;
/** Before the first part, and behind the last one, where nobody has anything to say. */
const MOST_AROUND = 64 * 1024;
/** RFC 2046, 5.1.1. */
const LONGEST_BOUNDARY = 70;
/** Node searches for needles of up to so many bytes with the processor's own instructions, and for longer ones by itself. */
const FAST_NEEDLE = 7;

/** Null where the type is not that of a form. */
export function boundaryOf(contentType: string | undefined): string | null {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;,"]+))/i.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  return boundary !== undefined && boundary.length <= LONGEST_BOUNDARY ? boundary : null;
}

export class Multipart {
  readonly #body: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  readonly #needle: Buffer;
  /** What has come and is not taken yet. The first delimiter need not follow a line. */
  #rest: Buffer = Buffer.from(LINE);
  #isInPart = true;
  #around = 0;
  #hasBegun = false;

  constructor(body: AsyncIterable<Buffer>, boundary: string) {
    this.#body = body[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`${LINE}${DASHES}${boundary}`, 'latin1');
    this.#needle = this.#delimiter.subarray(0, FAST_NEEDLE);
  }

  /** Passes over what is left of the part before. Null at the end of the form; what follows that is read, and dropped. */
  async next(): Promise<Part | null> {
    for (let chunk = await this.chunk(); chunk; chunk = await this.chunk()) {
      if (!this.#hasBegun) this.#passOver(chunk);
    }
    this.#hasBegun = true;
    await this.#atLeast(2);
    if (this.#rest.toString('latin1', 0, 2) === DASHES) {
      this.#passOver(this.#take(this.#rest.length));
      for (let chunk = await this.#read(); chunk; chunk = await this.#read()) this.#passOver(chunk);
      return null;
    }
    const part = partOf(await this.#head());
    this.#isInPart = true;
    return part;
  }

  /** What comes next of the bytes of the part; null at its end. */
  async chunk(): Promise<Buffer | null> {
    while (this.#isInPart) {
      const found = this.#find();
      if (found >= 0) {
        const last = this.#take(found);
        this.#take(this.#delimiter.length);
        this.#isInPart = false;
        return last.length > 0 ? last : null;
      }
      const bytes = this.#take(this.#safe());
      if (bytes.length > 0) return bytes;
      await this.#more();
    }
    return null;
  }

  /** Wants no more of the body, which stays where it is. */
  async leave(): Promise<void> {
    await this.#body.return?.();
  }

  #passOver({ length }: Buffer): void {
    this.#around += length;
    if (this.#around > MOST_AROUND) throw new MalformedForm('much stands outside of the parts');
  }

  /** Where the delimiter begins, or -1. */
  #find(): number {
    const rest = this.#rest;
    const { length } = this.#delimiter;
    for (let at = rest.indexOf(this.#needle); at >= 0; at = rest.indexOf(this.#needle, at + 1)) {
      if (at + length > rest.length) return -1;
      if (rest.compare(this.#delimiter, 0, length, at, at + length) === 0) return at;
    }
    return -1;
  }

  /** How many bytes cannot be the beginning of a delimiter, which has one CR alone, at its start. */
  #safe(): number {
    const { length } = this.#rest;
    const cr = this.#rest.lastIndexOf(CR);
    return cr >= 0 && cr > length - this.#delimiter.length ? cr : length;
  }

  /** Up to the blank line that ends the header. */
  async #head(): Promise<string> {
    // In a room of its own: what comes byte by byte would otherwise be copied and searched as a whole for each of them.
    const head = Buffer.allocUnsafe(MOST_HEADER_BYTES);
    for (let length = 0; ; await this.#more()) {
      const from = Math.max(0, length - BLANK_LINE.length + 1);
      const before = length;
      length += this.#rest.copy(head, length);
      const end = head.subarray(0, length).indexOf(BLANK_LINE, from);
      if (end >= 0) {
        this.#take(end + BLANK_LINE.length - before);
        return head.toString('utf8', 0, end);
      }
      if (length === head.length) throw new MalformedForm('the header of a part is too long');
      this.#rest = NOTHING;
    }
  }

  async #atLeast(bytes: number): Promise<void> {
    while (this.#rest.length < bytes) await this.#more();
  }

  async #more(): Promise<void> {
    const chunk = await this.#read();
    if (!chunk) throw new MalformedForm('the form is cut short');
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  async #read(): Promise<Buffer | null> {
    const { value, done } = await this.#body.next();
    return done ? null : value;
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = bytes === this.#rest.length ? NOTHING : this.#rest.subarray(bytes);
    return taken;
  }
}

/** Where a header goes on in the next line. */
const FOLD = /(?<=\S[ \t]*)\r\n[ \t]+/g;

/** A header begins behind the rest of the delimiter's line, where spaces may stand. */
function partOf(header: string): Part {
  const [rest = '', ...lines] = header.replaceAll(FOLD, ' ').split(LINE);
  if (rest.trim() !== '') throw new MalformedForm('a delimiter is followed by something else');
  const fields = new Map(
    lines.map((line) => line.split(/:(.*)/s, 2)).map(([name = '', value = '']) => [name.toLowerCase(), value]),
  );
  const disposition = fields.get('content-disposition') ?? '';
  const name = parameter(disposition, 'name');
  if (!/^\s*form-data\s*(;|$)/i.test(disposition) || name === null) throw new MalformedForm('a part has no name');
  const isFile =
    parameter(disposition, 'filename') !== null ||
    parameter(disposition, 'filename*') !== null ||
    /^\s*application\/octet-stream/i.test(fields.get('content-type') ?? '');
  return { name, isFile };
}

const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))/g;

function parameter(disposition: string, wanted: string): string | null {
  for (const [, name = '', quoted, plain = ''] of disposition.matchAll(PARAMETER)) {
    if (name.toLowerCase() === wanted) return quoted === undefined ? plain.trim() : quoted.replaceAll(/\\(.)/g, '$1');
  }
  return null;
}
