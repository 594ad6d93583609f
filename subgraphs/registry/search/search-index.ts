/**
 * Ranks texts by meaning and by words, in memory. A first look at all of them compares one bit a dimension, 64 bytes a
 * text; only what looks near, or shares words with the query, is compared in full. So a search among ten thousand takes
 * little more than one among a hundred.
 */
import type { Vector } from '../embedding/encoder.js';

export interface Entry {
  id: string;
  /** Null until its meaning has been looked into: until then it is found by its words. */
  vector: Int8Array | null;
  words: readonly string[];
}

export interface Wanted {
  vector: Vector;
  words: readonly string[];
}

export interface Ranked {
  id: string;
  score: number;
}

/** What sharing all words of the query adds to a similarity of at most one. */
const WEIGHT_OF_WORDS = 0.3;
/** How many are compared in full for each that is wanted, and at least. */
const CLOSER_LOOKS = 10;
const MIN_CLOSER_LOOKS = 200;
const FIRST_CAPACITY = 64;

export class SearchIndex {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #ids: (string | undefined)[] = [];
  readonly #words: (readonly string[])[] = [];
  readonly #postings = new Map<string, Set<number>>();
  #capacity = 0;
  /** Of a vector; 0 until the first one came. */
  #dimensions = 0;
  #bits = new Uint32Array();
  #vectors = new Int8Array();
  /** 0: the slot has no vector. */
  #lengths = new Float32Array();

  get size(): number {
    return this.#slots.size;
  }

  ids(): Iterable<string> {
    return this.#slots.keys();
  }

  put({ id, vector, words }: Entry): void {
    this.remove(id);
    const slot = this.#free.pop() ?? this.#ids.length;
    this.#slots.set(id, slot);
    this.#ids[slot] = id;
    this.#words[slot] = words;
    for (const word of words) this.#posting(word).add(slot);
    this.#reserve(slot, vector?.length ?? 0);
    // A vector of another length is of another model that goes by the same name.
    if (vector?.length === this.#dimensions) this.#write(slot, vector);
    else this.#lengths[slot] = 0;
  }

  #posting(word: string): Set<number> {
    const known = this.#postings.get(word);
    if (known) return known;
    const made = new Set<number>();
    this.#postings.set(word, made);
    return made;
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#ids[slot] = undefined;
    this.#lengths[slot] = 0;
    for (const word of this.#words[slot] ?? []) {
      const posting = this.#postings.get(word);
      posting?.delete(slot);
      if (posting?.size === 0) this.#postings.delete(word);
    }
    this.#free.push(slot);
  }

  /** The best first. Ties go to the newer one: ids sort by time. */
  rank({ vector, words }: Wanted, limit: number): Ranked[] {
    const shares = this.#sharesOfWords(words);
    const looks = Math.max(MIN_CLOSER_LOOKS, limit * CLOSER_LOOKS);
    const candidates = new Set([...this.#near(vector, looks), ...mostOf(shares, looks)]);
    const ranked: Ranked[] = [];
    for (const slot of candidates) {
      const id = this.#ids[slot];
      if (id === undefined) continue;
      const score = this.#similarity(slot, vector) + WEIGHT_OF_WORDS * (shares.get(slot) ?? 0);
      ranked.push({ id, score });
    }
    ranked.sort((one, other) => other.score - one.score || (one.id < other.id ? 1 : -1));
    return ranked.slice(0, limit);
  }

  /** How much of the query's words each text has, from 0 to 1; words that few texts have count for more. */
  #sharesOfWords(words: readonly string[]): Map<number, number> {
    const shares = new Map<number, number>();
    let all = 0;
    for (const word of words) {
      const posting = this.#postings.get(word);
      const weight = Math.log(1 + this.size / (1 + (posting?.size ?? 0)));
      all += weight;
      for (const slot of posting ?? []) shares.set(slot, (shares.get(slot) ?? 0) + weight);
    }
    for (const [slot, share] of shares) shares.set(slot, share / all);
    return shares;
  }

  /** The slots whose vectors point most nearly the same way, by the signs of their dimensions. */
  #near(vector: Vector, count: number): number[] {
    if (vector.length !== this.#dimensions) return [];
    const perSlot = wordsFor(this.#dimensions);
    const wanted = new Uint32Array(perSlot);
    writeBits(vector, wanted, 0);
    const slots = this.#ids.length;
    const distances = new Uint16Array(slots);
    const histogram = new Uint32Array(this.#dimensions + 1);
    for (let slot = 0; slot < slots; slot++) {
      if (this.#lengths[slot] === 0) continue;
      let distance = 0;
      const from = slot * perSlot;
      for (let i = 0; i < perSlot; i++) distance += ones(at(this.#bits, from + i) ^ at(wanted, i));
      distances[slot] = distance;
      histogram[distance] = at(histogram, distance) + 1;
    }
    let nearer = 0;
    let farthest = 0;
    while (farthest < this.#dimensions && nearer + at(histogram, farthest) < count) {
      nearer += at(histogram, farthest);
      farthest++;
    }
    // Of those at the farthest distance only as many as there is room for: there may be thousands alike.
    let room = count - nearer;
    const near: number[] = [];
    for (let slot = 0; slot < slots; slot++) {
      if (this.#lengths[slot] === 0 || at(distances, slot) > farthest) continue;
      if (at(distances, slot) < farthest || room-- > 0) near.push(slot);
    }
    return near;
  }

  #similarity(slot: number, vector: Vector): number {
    const length = at(this.#lengths, slot);
    if (length === 0 || vector.length !== this.#dimensions) return 0;
    let sum = 0;
    const from = slot * this.#dimensions;
    for (let i = 0; i < vector.length; i++) sum += at(vector, i) * at(this.#vectors, from + i);
    return sum / length;
  }

  #write(slot: number, vector: Int8Array): void {
    this.#vectors.set(vector, slot * this.#dimensions);
    const perSlot = wordsFor(this.#dimensions);
    this.#bits.fill(0, slot * perSlot, (slot + 1) * perSlot);
    writeBits(vector, this.#bits, slot * perSlot);
    let squares = 0;
    for (const value of vector) squares += value * value;
    this.#lengths[slot] = Math.sqrt(squares);
  }

  #reserve(slot: number, dimensions: number): void {
    if (slot < this.#capacity && (this.#dimensions > 0 || dimensions === 0)) return;
    if (this.#dimensions === 0) this.#dimensions = dimensions;
    if (slot >= this.#capacity) this.#capacity = Math.max(FIRST_CAPACITY, this.#capacity * 2, slot + 1);
    this.#bits = grown(this.#bits, new Uint32Array(this.#capacity * wordsFor(this.#dimensions)));
    this.#vectors = grown(this.#vectors, new Int8Array(this.#capacity * this.#dimensions));
    this.#lengths = grown(this.#lengths, new Float32Array(this.#capacity));
  }
}

/** Within bounds by construction: what the type cannot know. */
function at(numbers: Readonly<Record<number, number>>, index: number): number {
  return numbers[index] as number;
}

function wordsFor(dimensions: number): number {
  return Math.ceil(dimensions / 32);
}

function writeBits(vector: ArrayLike<number>, into: Uint32Array, from: number): void {
  for (let i = 0; i < vector.length; i++) {
    if (at(vector, i) > 0) into[from + (i >>> 5)] = at(into, from + (i >>> 5)) | (1 << (i & 31));
  }
}

/** How many bits of a 32-bit word are set (Hacker's Delight, 5-1). */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function grown<T extends Uint32Array | Int8Array | Float32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function mostOf(shares: ReadonlyMap<number, number>, count: number): number[] {
  const slots = [...shares.keys()];
  if (slots.length <= count) return slots;
  return slots.sort((one, other) => (shares.get(other) ?? 0) - (shares.get(one) ?? 0)).slice(0, count);
}
