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

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  async remove(bytes: Uint8Array): Promise<Encoded> {
    const pixels = await this.#encoder.pixels(bytes);
    const data = await this.#turns.take(() => this.#cut(pixels));
    return this.#encoder.png({ ...pixels, data });
  }

  #cut({ data, width, height }: Pixels): Promise<Buffer> {
    const worker = this.#thread();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        worker.removeAllListeners();
        finish();
      };
      const fail = (why: string) =>
        settle(() => {
          this.#worker = undefined;
          void worker.terminate();
          reject(new AssetFailure('background_removal', `The background cannot be removed: ${why}.`));
        });
      const timer = setTimeout(() => fail('it takes too long'), MAX_MS);
      worker.once('message', (answer: CutAnswer) => {
        if ('error' in answer) fail(answer.error);
        else settle(() => resolve(Buffer.from(answer.data.buffer, answer.data.byteOffset, answer.data.length)));
      });
      worker.once('error', (error) => fail(error.message));
      worker.once('exit', () => fail('its thread ended'));
      const own = new Uint8Array(data);
      worker.postMessage({ data: own, width, height } satisfies CutRequest, [own.buffer]);
    });
  }

  #thread(): Worker {
    if (!this.#worker) {
      this.#worker = new Worker(WORKER);
      // An idle remover keeps no process alive.
      this.#worker.unref();
    }
    return this.#worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
