/** What adapters share: calling a provider, and telling what its answer means without repeating its words. */
import type { FormData } from 'undici';
import { type Outbound, type OutboundAnswer, OutboundError } from '../../../platform/outbound/http.js';
import { parseBounded, parseInPlace, UnreadableJson } from '../../../platform/outbound/json.js';
import type { Room } from '../../../platform/rooms.js';
import { type FailureReason, ProviderFailure } from './failure.js';

const MEBIBYTE = 1024 * 1024;

/** One of the largest pictures in base64, and room for as many more of a usual size. */
export function maxAnswerBytes(pictures: number): number {
  return (40 + 16 * (pictures - 1)) * MEBIBYTE;
}

/** An error is a few lines; what is longer is not read for its code. */
const MAX_ERROR_BYTES = 64 * 1024;

export interface Call {
  path: string;
  json?: unknown;
  form?: FormData;
  headers?: Readonly<Record<string, string>>;
  /** Pictures that the answer may hold. */
  pictures: number;
  room: Room;
}

/** Reads a refusal's code from the provider's error body. Undefined: its status says it all. */
export type RefusalReader = (body: unknown, status: number) => FailureReason | undefined;

export async function post(
  service: Outbound,
  { path, json, form, headers = {}, pictures, room }: Call,
  signal: AbortSignal,
  readRefusal: RefusalReader,
): Promise<OutboundAnswer> {
  const answer = await sent(
    service.send(
      {
        method: 'POST',
        path,
        maxBytes: maxAnswerBytes(pictures),
        room,
        ...(form
          ? { body: form, headers }
          : { body: JSON.stringify(json), headers: { 'content-type': 'application/json', ...headers } }),
      },
      signal,
    ),
  );
  if (answer.status >= 200 && answer.status < 300) return answer;
  const reason = readRefusal(errorBody(answer.body), answer.status) ?? reasonOf(answer.status);
  throw new ProviderFailure(reason, { status: answer.status });
}

export async function sent(answer: Promise<OutboundAnswer>): Promise<OutboundAnswer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const reasons = { unreachable: 'unreachable', broken: 'failed', too_large: 'too_large' } as const;
    throw new ProviderFailure(reasons[error.problem], { cause: error });
  }
}

/** Pictures in it are LongText. */
export function readJson({ body, status }: OutboundAnswer): unknown {
  try {
    return parseInPlace(body);
  } catch (error) {
    if (error instanceof UnreadableJson) throw new ProviderFailure('unreadable', { status });
    throw error;
  }
}

function errorBody(body: Buffer): unknown {
  if (body.length > MAX_ERROR_BYTES) return null;
  try {
    return parseBounded(body);
  } catch (error) {
    if (error instanceof UnreadableJson) return null;
    throw error;
  }
}

function reasonOf(status: number): FailureReason {
  if (status === 401 || status === 403) return 'credentials';
  if (status === 429) return 'rate_limited';
  if (status >= 400 && status < 500 && status !== 408) return 'rejected';
  return 'failed';
}

/** A member of something that a stranger sent. */
export function member(value: unknown, ...path: (string | number)[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
