/** The thread in which backgrounds are found, so that the time that takes is nobody else's. */
import { parentPort } from 'node:worker_threads';
import { cutOut } from './cut.js';
import type { CutAnswer, CutRequest } from './local.js';

parentPort?.on('message', ({ data, width, height }: CutRequest) => {
  const answer: CutAnswer = attempt(() => cutOut({ data, width, height }));
  parentPort?.postMessage(answer, 'data' in answer ? [answer.data.buffer as ArrayBuffer] : []);
});

function attempt(work: () => Uint8Array): CutAnswer {
  try {
    return { data: work() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
