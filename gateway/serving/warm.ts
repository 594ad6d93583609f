/**
 * Answers for public images that are in memory, ahead of the framework, whose routing and hooks cost several times what
 * is left to do here. Everything else is passed on: this knows nothing of credentials, ranges or errors.
 */
import { STATUS_CODES } from 'node:http';
import { type Bytes, type Coming, Passing } from './bytes.js';
import { isUnchanged, type Known } from './conditions.js';
import { type PublicPicture, publicCacheControl } from './picture.js';
import type { Records, Known as Remembered } from './records.js';

export interface WarmDeps {
  records: Records;
  bytes: Bytes;
  now: () => Date;
}

export interface WarmAnswer {
  status: 200 | 304;
  picture: PublicPicture;
  cacheControl: string;
  body: Buffer | null;
}

/** The same, of which the bytes are still on their way. */
export interface ComingAnswer extends Omit<WarmAnswer, 'body'> {
  body: Coming | Passing;
}

/** Null: nothing that may be sent from here. */
type Found = WarmAnswer | ComingAnswer | null;

export class WarmImages {
  readonly #deps: WarmDeps;

  constructor(deps: WarmDeps) {
    this.#deps = deps;
  }

  /** Null where there is more to do than to send what is in memory. */
  answer(token: string, known: Known): WarmAnswer | null {
    const record = this.#deps.records.fresh(token);
    const picture = record?.picture;
    if (!record || !picture) return null;
    const time = this.#deps.now().getTime();
    if (picture.expiresAt <= time) return null;
    const cacheControl = publicCacheControl(picture.expiresAt, time);
    if (isUnchanged(known, picture)) return { status: 304, picture, cacheControl, body: null };
    const body = this.#deps.bytes.kept(record.image.id);
    return body ? { status: 200, picture, cacheControl, body } : null;
  }

  /** The same, while what is missing is brought into memory, where it may be. */
  async fetch(token: string, known: Known, requestId: string): Promise<Found> {
    const { records } = this.#deps;
    // Who has something may well have the bytes.
    const wantsAll = known.tags === undefined && known.since === undefined;
    const record = await (wantsAll ? records.findAhead(token, requestId) : records.find(token, requestId));
    try {
      return await this.#answerBy(record, token, known, requestId);
    } finally {
      if (wantsAll) record?.ahead?.drop();
    }
  }

  async #answerBy(record: Remembered | null, token: string, known: Known, requestId: string): Promise<Found> {
    const { records, bytes, now } = this.#deps;
    if (!record?.picture || record.picture.expiresAt <= now().getTime()) return null;
    const found = this.answer(token, known);
    const body = found ? null : await bytes.find(record.image, requestId, record.ahead);
    if (!body) return found;
    // It may have ended, or become private, while the bucket was asked.
    const { picture } = records.fresh(token) ?? {};
    const time = now().getTime();
    if (!picture || picture.expiresAt <= time) {
      if (body instanceof Passing) body.drop();
      return null;
    }
    return { status: 200, picture, cacheControl: publicCacheControl(picture.expiresAt, time), body } as
      | WarmAnswer
      | ComingAnswer;
  }
}

/** As Node's server takes them. */
export function headersOf({ status, picture, cacheControl }: WarmAnswer, requestId: string): string[] {
  const { whole, unchanged } = picture;
  return [...(status === 304 ? unchanged : whole), 'cache-control', cacheControl, 'x-request-id', requestId];
}

/** As they go over the wire. */
export function headOf({ status, picture, cacheControl }: Omit<WarmAnswer, 'body'>, requestId: string): string {
  const { wholeText, unchangedText } = picture;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${status === 304 ? unchangedText : wholeText}` +
    `cache-control: ${cacheControl}\r\nx-request-id: ${requestId}\r\ndate: ${httpDate()}\r\n`
  );
}

let second = 0;
let dateText = '';

/** The wall clock, whatever time the platform keeps: it is about the message. */
function httpDate(): string {
  const time = Date.now();
  if (time - second >= 1000) {
    second = time - (time % 1000);
    dateText = new Date(second).toUTCString();
  }
  return dateText;
}
