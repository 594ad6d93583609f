/** A multipart form with one file, read as it comes in. Fields may stand before the file and behind it. */
import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../../platform/errors.js';
import { boundaryOf, MalformedForm, Multipart, type Part } from './multipart.js';

const LONGEST_NAME = 100;
const LONGEST_VALUE = 1_000;
const MOST_PARTS = 21;
const FILE = 'file';

export class UploadForm {
  readonly #parts: Multipart;
  readonly #fields = new Map<string, string>();
  #seen = 0;
  #hasFile = false;

  constructor(headers: IncomingHttpHeaders, body: AsyncIterable<Buffer>) {
    const boundary = boundaryOf(headers['content-type']);
    if (boundary === null) throw malformed();
    this.#parts = new Multipart(body, boundary);
  }

  /** The bytes of the file, at the pace at which they are read. Leaving early ends the form. */
  async *bytes(): AsyncGenerator<Buffer> {
    let isRead = false;
    try {
      await this.#untilFile();
      if (!this.#hasFile) throw Problem.invalid(FILE, 'is required');
      for (let chunk = await this.#chunk(); chunk; chunk = await this.#chunk()) yield chunk;
      isRead = true;
    } finally {
      if (!isRead) await this.#parts.leave();
    }
  }

  /** All of the fields. To be asked for once the bytes have been read. */
  async fields(): Promise<Record<string, string>> {
    try {
      await this.#untilFile();
      return Object.fromEntries(this.#fields);
    } catch (error) {
      await this.#parts.leave();
      throw error;
    }
  }

  /** Takes the fields that come before the file or the end. */
  async #untilFile(): Promise<void> {
    for (let part = await this.#next(); part; part = await this.#next()) {
      this.#seen += 1;
      if (this.#seen > MOST_PARTS) throw new Problem('validation_error', 'The form has too many parts.');
      if (part.name.length > LONGEST_NAME)
        throw Problem.invalid(part.name.slice(0, LONGEST_NAME), 'is too long a name');
      if (!part.isFile) {
        await this.#takeField(part);
        continue;
      }
      if (part.name !== FILE || this.#hasFile) {
        throw Problem.invalid(FILE, 'is required, and is the one file of the form');
      }
      this.#hasFile = true;
      return;
    }
  }

  async #takeField({ name }: Part): Promise<void> {
    if (this.#fields.has(name)) throw Problem.invalid(name, 'is given twice');
    const chunks: Buffer[] = [];
    let length = 0;
    for (let chunk = await this.#chunk(); chunk; chunk = await this.#chunk()) {
      length += chunk.length;
      if (length > LONGEST_VALUE) throw Problem.invalid(name, 'is too long');
      chunks.push(chunk);
    }
    this.#fields.set(name, Buffer.concat(chunks).toString('utf8'));
  }

  #next(): Promise<Part | null> {
    return this.#parts.next().catch(refused);
  }

  #chunk(): Promise<Buffer | null> {
    return this.#parts.chunk().catch(refused);
  }
}

function refused(error: unknown): never {
  throw error instanceof MalformedForm ? malformed(error) : error;
}

function malformed(cause?: MalformedForm): Problem {
  return new Problem('validation_error', 'The body is not a whole multipart/form-data form.', cause && { cause });
}
