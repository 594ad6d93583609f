/** The built-in remover. Its pixels are gone through in a thread of its own. */
import { Worker } from 'node:worker_threads';
import type { Encoded, Encoder, Pixels } from '../encoder.js';
import { AssetFailure } from '../failure.js';
import { Turns } from '../turns.js';
import type { BackgroundRemover } from './remover.js';

export interface CutRequest {
  data: Uint8Array;
  width: number;
  height: number;
}

export type CutAnswer = { data: Uint8Array } | { error: string };

const MAX_MS = 30_000;

// The compiled thread; from TypeScript sources, which a thread cannot load, the one that the build made.
const WORKER = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../../../dist/subgraphs/images/asset/background/cut.worker.js'
    : './cut.worker.js',
  import.meta.url,
);

export class LocalRemover implements BackgroundRemover {
  readonly #encoder: Encoder;
  // A picture's pixels are many bytes: one at a time.
  readonly #turns = new Turns(1);
  #worker: Worker | undefined;
  /** What is to be told of the picture that the thread is at. */
  #settle: (answer: CutAnswer) => void = () => undefined;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  async remove(bytes: Uint8Array): Promise<Encoded> {
    const pixels = await this.#encoder.pixels(bytes);
    const answer = await this.#turns.take(() => this.#cut(pixels));
    if ('error' in answer) {
      throw new AssetFailure('background_removal', `The background cannot be removed: ${answer.error}.`);
    }
    const { buffer, byteOffset, length } = answer.data;
    return this.#encoder.png({ ...pixels, data: Buffer.from(buffer, byteOffset, length) });
  }

  #cut({ data, width, height }: Pixels): Promise<CutAnswer> {
    const worker = this.#thread();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#lost(worker, 'it takes too long'), MAX_MS);
      this.#settle = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      const own = new Uint8Array(data);
      worker.postMessage({ data: own, width, height } satisfies CutRequest, [own.buffer]);
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(WORKER);
    // An idle remover keeps no process alive.
    worker.unref();
    worker.on('message', (answer: CutAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#lost(worker, error.message));
    worker.on('exit', () => this.#lost(worker, 'its thread ended'));
    this.#worker = worker;
    return worker;
  }

  /** The picture that it was at fails; the next one starts a new thread. */
  #lost(worker: Worker, error: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    void worker.terminate();
    this.#settle({ error });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
