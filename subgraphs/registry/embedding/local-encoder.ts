/** The sentence encoder that ships with us, in a thread of its own that starts with the first text. */
import { Worker } from 'node:worker_threads';
import { type Encoder, EncoderFailure, type Vector } from './encoder.js';
import { piecesOf, rejoin } from './pieces.js';

export interface EncodeRequest {
  id: number;
  texts: readonly string[];
}

export type EncodeAnswer = { id: number; vectors: Vector[] } | { id: number; error: string };

interface Waiting {
  resolve(vectors: Vector[]): void;
  reject(error: Error): void;
}

// At twenty milliseconds a sentence this is about ten seconds of work: more would only be answered too late.
const MAX_WAITING_PIECES = 500;

// The compiled thread; from TypeScript sources, which a thread cannot load, the one that the build made.
const WORKER = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../../dist/subgraphs/registry/embedding/local-encoder.worker.js'
    : './local-encoder.worker.js',
  import.meta.url,
);

export class LocalEncoder implements Encoder {
  readonly model = 'local/universal-sentence-encoder-lite';
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #pieces = 0;
  #nextId = 0;

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Vector[]> {
    const pieces = texts.map(piecesOf);
    const flat = pieces.flat();
    if (flat.length === 0) return [];
    if (this.#pieces + flat.length > MAX_WAITING_PIECES) throw new EncoderFailure('the local encoder is busy');
    this.#pieces += flat.length;
    try {
      const vectors = await this.#ask(flat, signal);
      return rejoin(pieces, vectors);
    } finally {
      this.#pieces -= flat.length;
    }
  }

  #ask(texts: readonly string[], signal: AbortSignal | undefined): Promise<Vector[]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = this.#nextId++;
      const onAbort = () => settle(() => reject(signal?.reason));
      const settle = (finish: () => void) => {
        this.#waiting.delete(id);
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      this.#waiting.set(id, {
        resolve: (vectors) => settle(() => resolve(vectors)),
        reject: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener('abort', onAbort);
      this.#thread().postMessage({ id, texts } satisfies EncodeRequest);
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(WORKER);
    // An idle encoder keeps no process alive.
    worker.unref();
    worker.on('message', (answer: EncodeAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      if ('error' in answer) waiting?.reject(new EncoderFailure(answer.error));
      else waiting?.resolve(answer.vectors);
    });
    worker.on('error', (error) => this.#lost(worker, error.message));
    worker.on('exit', () => this.#lost(worker, 'its thread ended'));
    this.#worker = worker;
    return worker;
  }

  /** What was waiting fails; the next text starts a new thread. */
  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(new EncoderFailure(`the local encoder: ${why}`));
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
