/** Requests whose bodies take their time. */
import type { Dispatcher, Pool } from 'undici';
import { LONGEST_UPLOAD_MS } from './body-time.js';

export interface StreamedRequest {
  path: string;
  headers: Readonly<Record<string, string>>;
  body: AsyncIterable<Uint8Array>;
  /** How long an answer may take once the body has ended. */
  answerMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Posts a body at the pace of both ends. The client's own time for an answer runs from the start of the request, and would
 * end a slow body; here it runs from the end of it. Throws what the body threw, where it did: the client would report that
 * as a failure of its own.
 */
export async function postStream(pool: Pool, request: StreamedRequest): Promise<Dispatcher.ResponseData> {
  const { path, headers, body, answerMs, signal } = request;
  const late = new AbortController();
  let timer = setTimeout(() => late.abort(new Error('the body took too long')), LONGEST_UPLOAD_MS);
  let failure: { error: unknown } | null = null;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      failure = { error };
      throw error;
    }
    clearTimeout(timer);
    timer = setTimeout(() => late.abort(new Error('no answer came')), answerMs);
  }
  try {
    return await pool.request({
      method: 'POST',
      path,
      headers,
      body: watched() as never,
      headersTimeout: 0,
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    });
  } catch (error) {
    throw failure === null ? error : new BodyFailed((failure as { error: unknown }).error);
  } finally {
    clearTimeout(timer);
  }
}

/** Not the request failed, but what was to be sent. */
export class BodyFailed extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('the body of a request failed', { cause: reason });
    this.reason = reason;
  }
}
