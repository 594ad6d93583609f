/**
 * Whose an image is and until when, remembered for less than two seconds. A notice ends that at once where it arrives;
 * where it does not, age does.
 */
import { LRUCache } from 'lru-cache';
import { type Events, IMAGE_CHANGED } from '../../platform/events.js';
import type { FoundAhead, Images, ServedImage } from '../../subgraphs/images/client.js';
import type { Ahead } from '../../subgraphs/images/serving/ahead.js';
import { type PublicPicture, publicPicture } from './picture.js';

/** What was true within two seconds may be served. The rest of them is for sending the answer. */
const REMEMBER_MS = 1_800;
/** Asked again while it can still be used, so that nobody waits for it. */
const RENEW_AFTER_MS = 900;
const REMEMBERED = 10_000;

export interface Known {
  image: ServedImage;
  /** Null for a private one. */
  picture: PublicPicture | null;
  /** When the look-up began that found it. */
  since: number;
  renewing: boolean;
  /** For the first who wants them; whoever asked for them drops them. */
  ahead: Ahead | null;
}

export interface RecordsDeps {
  images: Pick<Images, 'find' | 'findAhead'>;
  events: Events;
}

export class Records {
  readonly #images: RecordsDeps['images'];
  readonly #known: LRUCache<string, Known>;
  readonly #tokensOf = new Map<string, Set<string>>();
  readonly #underWay = new Map<string, Promise<Known | null>>();
  /** Nobody else joins these: a record that comes with bytes may have to wait for the bucket. */
  readonly #underWayAhead = new Map<string, Promise<Known | null>>();
  readonly #stopListening: () => void;
  /** Goes up with every notice, so that a look-up that began before one is not remembered after it. */
  #epoch = 0;

  constructor({ images, events }: RecordsDeps) {
    this.#images = images;
    this.#known = new LRUCache({ max: REMEMBERED, dispose: ({ image }, token) => this.#unlink(image, token) });
    this.#stopListening = events.subscribe(IMAGE_CHANGED, (token) => this.#forget([token]));
  }

  /** What is remembered and may still be served. Whether the image has expired is for the caller to see. */
  fresh(token: string, now = performance.now()): Known | undefined {
    const known = this.#known.get(token);
    if (!known) return undefined;
    const age = now - known.since;
    if (age >= REMEMBER_MS) return undefined;
    if (age >= RENEW_AFTER_MS && !known.renewing) this.#renew(known, token);
    return known;
  }

  async find(token: string, requestId: string): Promise<Known | null> {
    return this.fresh(token) ?? this.#lookUp(token, requestId);
  }

  /** With the bytes, where nothing is known yet: of what was known a moment ago they are in memory, or soon will be. */
  async findAhead(token: string, requestId: string): Promise<Known | null> {
    return this.fresh(token) ?? this.#lookUp(token, requestId, !this.#known.has(token));
  }

  /** A failure is left to whoever asks when the record has aged out. */
  #renew(known: Known, token: string): void {
    known.renewing = true;
    void this.#lookUp(token, known.image.id).catch(() => undefined);
  }

  #lookUp(token: string, requestId: string, withBytes = false): Promise<Known | null> {
    // A burst of requests for one image asks once.
    const underWay = withBytes ? this.#underWayAhead : this.#underWay;
    const asked = underWay.get(token);
    if (asked) return asked;
    const lookUp = this.#fetch(token, requestId, withBytes).finally(() => {
      if (underWay.get(token) === lookUp) underWay.delete(token);
    });
    underWay.set(token, lookUp);
    return lookUp;
  }

  async #fetch(token: string, requestId: string, withBytes: boolean): Promise<Known | null> {
    const epoch = this.#epoch;
    const since = performance.now();
    const found = await (withBytes ? this.#images.findAhead(token, requestId) : this.#alone(token, requestId));
    const before = this.#known.get(token);
    if (!found) {
      this.#known.delete(token);
      return null;
    }
    const { image, ahead } = found;
    // What is made of an image to send it is made once for as long as nothing about it changes.
    const picture = before && isSame(before.image, image) ? before.picture : publicPicture(image);
    const known: Known = { image, picture, since, renewing: false, ahead };
    if (epoch === this.#epoch) this.#remember(token, known);
    return known;
  }

  async #alone(token: string, requestId: string): Promise<FoundAhead | null> {
    const image = await this.#images.find(token, requestId);
    return image && { image, ahead: null };
  }

  #remember(token: string, known: Known): void {
    this.#known.set(token, known);
    const { ownerId } = known.image;
    // What is nobody's is changed by nobody.
    if (ownerId !== null) this.#tokensOf.set(ownerId, (this.#tokensOf.get(ownerId) ?? new Set()).add(token));
  }

  #unlink({ ownerId }: ServedImage, token: string): void {
    const tokens = ownerId === null ? undefined : this.#tokensOf.get(ownerId);
    if (!tokens || ownerId === null) return;
    tokens.delete(token);
    if (tokens.size === 0) this.#tokensOf.delete(ownerId);
  }

  /** For changes that went through this gateway to images in another process, whose notices may not arrive here. */
  forgetOwner(userId: string): void {
    this.#forget([...(this.#tokensOf.get(userId) ?? [])]);
  }

  #forget(tokens: readonly string[]): void {
    this.#epoch += 1;
    this.#underWay.clear();
    this.#underWayAhead.clear();
    for (const token of tokens) this.#known.delete(token);
  }

  close(): void {
    this.#stopListening();
  }
}

function isSame(a: ServedImage, b: ServedImage): boolean {
  return a.id === b.id && a.visibility === b.visibility && a.expiresAt?.getTime() === b.expiresAt?.getTime();
}
