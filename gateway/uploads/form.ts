/** A multipart form with one file, read as it comes in. Fields may stand before the file and behind it. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '../../platform/errors.js';

const LIMITS = {
  fieldNameSize: 100,
  fieldSize: 1_000,
  fields: 20,
  files: 1,
  parts: 21,
  headerPairs: 50,
  headerSize: 8_192,
};
const FILE = 'file';

export class UploadForm {
  readonly #parser: BusboyInstance;
  readonly #fields = new Map<string, string>();
  readonly #ended = new AbortController();
  readonly #end: Promise<void>;
  #file: BusboyFileStream | null = null;
  #failure: { error: unknown } | null = null;
  #wake: () => void = () => undefined;

  /** `read` gives the body, until the signal says that no more of it is wanted. */
  constructor(headers: IncomingHttpHeaders, read: (signal: AbortSignal) => AsyncIterable<Buffer>) {
    this.#parser = parserOf(headers);
    this.#listen();
    this.#end = this.#feed(read(this.#ended.signal));
    // Whoever asks for bytes or fields is told.
    this.#end.catch(() => undefined);
  }

  /** The bytes of the file, at the pace at which they are read. Leaving early ends the form. */
  async *bytes(): AsyncGenerator<Buffer> {
    const file = await this.#fileOrEnd();
    try {
      yield* file as AsyncIterable<Buffer>;
    } finally {
      if (!file.readableEnded) this.#fail(new Problem('validation_error'));
    }
  }

  /** All of the fields, once the form has ended. */
  async fields(): Promise<Record<string, string>> {
    await this.#end;
    return Object.fromEntries(this.#fields);
  }

  async #fileOrEnd(): Promise<BusboyFileStream> {
    if (!this.#file) {
      const begun = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([begun, this.#end]);
    }
    if (!this.#file) throw Problem.invalid(FILE, 'is required');
    return this.#file;
  }

  #listen(): void {
    const parser = this.#parser;
    parser.on('file', (name, stream) => {
      // An error of the file is one of the form, which tells it.
      stream.on('error', () => undefined);
      if (name !== FILE) return this.#fail(Problem.invalid(FILE, 'is required, and is the one file of the form'));
      this.#file = stream;
      this.#wake();
    });
    parser.on('field', (name, value, _nameCut, valueCut) => {
      if (valueCut) this.#fail(Problem.invalid(name, 'is too long'));
      else if (this.#fields.has(name)) this.#fail(Problem.invalid(name, 'is given twice'));
      else this.#fields.set(name, value);
    });
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
      parser.on(limit, () => this.#fail(new Problem('validation_error', 'The form has too many parts.')));
    }
    parser.on('error', (error) => this.#fail(malformed(error)));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#file?.destroy(this.#failure.error as Error);
    this.#parser.destroy();
    this.#ended.abort(this.#failure.error);
  }

  async #feed(body: AsyncIterable<Buffer>): Promise<void> {
    const parser = this.#parser;
    const { signal } = this.#ended;
    const finished = once(parser, 'finish', { signal });
    finished.catch(() => undefined);
    try {
      for await (const chunk of body) {
        if (!parser.write(chunk)) await once(parser, 'drain', { signal });
        if (signal.aborted) break;
      }
      parser.end();
      await finished;
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure) throw this.#failure.error;
  }
}

function parserOf(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({ headers: headers as IncomingHttpHeaders & { 'content-type': string }, limits: LIMITS });
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(cause: unknown): Problem {
  return new Problem('validation_error', 'The body is not a whole multipart/form-data form.', { cause });
}
