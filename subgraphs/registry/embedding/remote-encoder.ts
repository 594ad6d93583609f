/** Any server that speaks OpenAI's embeddings. */
import { z } from 'zod';
import { Outbound, OutboundError } from '../../../platform/outbound/http.js';
import { parseBounded, UnreadableJson } from '../../../platform/outbound/json.js';
import { type Encoder, EncoderFailure, unit, type Vector } from './encoder.js';
import { piecesOf, rejoin } from './pieces.js';

export interface RemoteEncoderSettings {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Texts of one call, which the common servers all take. */
const AT_ONCE = 96;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: z.array(z.number()).min(1).max(8_192) })),
});

export class RemoteEncoder implements Encoder {
  readonly model: string;
  readonly #service: Outbound;

  constructor({ baseUrl, apiKey, model }: RemoteEncoderSettings) {
    this.model = model;
    this.#service = new Outbound({
      baseUrl,
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    });
  }

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Vector[]> {
    const pieces = texts.map(piecesOf);
    const flat = pieces.flat();
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const vectors: Vector[] = [];
    for (let from = 0; from < flat.length; from += AT_ONCE) {
      vectors.push(...(await this.#ask(flat.slice(from, from + AT_ONCE), both, deadline)));
    }
    return rejoin(pieces, vectors);
  }

  async #ask(input: readonly string[], signal: AbortSignal, deadline: AbortSignal): Promise<Vector[]> {
    const request = {
      method: 'POST',
      path: '/embeddings',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: this.model, input, encoding_format: 'float' }),
      maxBytes: MAX_ANSWER_BYTES,
    } as const;
    try {
      const { status, body } = await this.#service.send(request, signal);
      if (status !== 200) throw new EncoderFailure(`the embeddings server answered ${status}`);
      return vectorsIn(body, input.length);
    } catch (error) {
      if (error instanceof OutboundError) throw new EncoderFailure(error.message, { cause: error });
      if (deadline.aborted) throw new EncoderFailure('the embeddings server took too long');
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

function vectorsIn(body: Buffer, count: number): Vector[] {
  let value: unknown;
  try {
    value = parseBounded(body, { depth: 8, values: 2_000_000 });
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    throw new EncoderFailure('the embeddings server did not answer in JSON');
  }
  const answer = answerSchema.safeParse(value).data;
  const byIndex = new Map(answer?.data.map(({ index, embedding }) => [index, unit(Float32Array.from(embedding))]));
  const length = byIndex.get(0)?.length;
  return Array.from({ length: count }, (_, i) => {
    const vector = byIndex.get(i);
    if (!vector || vector.length !== length) throw new EncoderFailure('the embeddings server left texts out');
    return vector;
  });
}
