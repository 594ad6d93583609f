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
  /** Arrays, because searching walks them far more often than anything is taken out. */
  readonly #postings = new Map<string, number[]>();
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
    for (const word of new Set(words)) this.#posting(word).push(slot);
    this.#reserve(slot, vector?.length ?? 0);
    // A vector of another length is of another model that goes by the same name.
    if (vector?.length === this.#dimensions) this.#write(slot, vector);
    else this.#lengths[slot] = 0;
  }

  #posting(word: string): number[] {
    const known = this.#postings.get(word);
    if (known) return known;
    const made: number[] = [];
    this.#postings.set(word, made);
    return made;
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#ids[slot] = undefined;
    this.#lengths[slot] = 0;
    for (const word of new Set(this.#words[slot])) this.#takeOut(word, slot);
    this.#free.push(slot);
  }

  #takeOut(word: string, slot: number): void {
    const posting = this.#postings.get(word);
    const place = posting?.indexOf(slot) ?? -1;
    const last = place < 0 ? undefined : posting?.pop();
    if (!posting || last === undefined) return;
    if (place < posting.length) posting[place] = last;
    if (posting.length === 0) this.#postings.delete(word);
  }

  /** The best first. Ties go to the newer one: ids sort by time. */
  rank({ vector, words }: Wanted, limit: number): Ranked[] {
    const shares = this.#sharesOfWords(words);
    const looks = Math.max(MIN_CLOSER_LOOKS, limit * CLOSER_LOOKS);
    const best = new Best(limit);
    const seen = new Uint8Array(this.#ids.length);
    for (const slots of [this.#near(vector, looks), mostOf(shares, looks)]) {
      for (const slot of slots) {
        if (seen[slot] === 1) continue;
        seen[slot] = 1;
        const id = this.#ids[slot];
        if (id === undefined) continue;
        best.offer(id, this.#similarity(slot, vector) + WEIGHT_OF_WORDS * (shares.of[slot] as number));
      }
    }
    return best.ranked;
  }

  /** How much of the query's words each text has, from 0 to 1; words that few texts have count for more. */
  #sharesOfWords(words: readonly string[]): Shares {
    const postings = words.map((word) => this.#postings.get(word));
    const weights = postings.map((posting) => Math.log(1 + this.size / (1 + (posting?.length ?? 0))));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const of = new Float32Array(this.#ids.length);
    const slots: number[] = [];
    postings.forEach((posting, i) => {
      const weight = at(weights, i) / all;
      if (!posting) return;
      for (const slot of posting) {
        const before = of[slot] as number;
        if (before === 0) slots.push(slot);
        of[slot] = before + weight;
      }
    });
    return { of, slots };
  }

  /** The slots whose vectors point most nearly the same way, by the signs of their dimensions. */
  #near(vector: Vector, count: number): number[] {
    if (vector.length !== this.#dimensions) return [];
    // Out of the fields, which the loop below would look up each time.
    const bits = this.#bits;
    const lengths = this.#lengths;
    const perSlot = wordsFor(vector.length);
    const wanted = new Uint32Array(perSlot);
    writeBits(vector, wanted, 0);
    const slots = this.#ids.length;
    const distances = new Uint16Array(slots);
    const histogram = new Uint32Array(vector.length + 1);
    for (let slot = 0; slot < slots; slot++) {
      if (lengths[slot] === 0) continue;
      const distance = unlike(bits, slot * perSlot, wanted, perSlot);
      distances[slot] = distance;
      histogram[distance] = (histogram[distance] as number) + 1;
    }
    let nearer = 0;
    let farthest = 0;
    while (farthest < vector.length && nearer + at(histogram, farthest) < count) {
      nearer += at(histogram, farthest);
      farthest++;
    }
    // Of those at the farthest distance only as many as there is room for: there may be thousands alike.
    let room = count - nearer;
    const near: number[] = [];
    for (let slot = 0; slot < slots; slot++) {
      if ((distances[slot] as number) > farthest || lengths[slot] === 0) continue;
      if ((distances[slot] as number) < farthest || room-- > 0) near.push(slot);
    }
    return near;
  }

  #similarity(slot: number, vector: Vector): number {
    const length = this.#lengths[slot] as number;
    if (length === 0 || vector.length !== this.#dimensions) return 0;
    const vectors = this.#vectors;
    const from = slot * vector.length;
    // Four sums, so that no addition waits for the one before.
    let [one, two, three, four] = [0, 0, 0, 0];
    const whole = vector.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      one += (vector[i] as number) * (vectors[from + i] as number);
      two += (vector[i + 1] as number) * (vectors[from + i + 1] as number);
      three += (vector[i + 2] as number) * (vectors[from + i + 2] as number);
      four += (vector[i + 3] as number) * (vectors[from + i + 3] as number);
    }
    let sum = one + two + three + four;
    for (let i = whole; i < vector.length; i++) sum += (vector[i] as number) * (vectors[from + i] as number);
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

/** The best of what is offered, in order. Few are wanted of many, so most are told apart by one comparison. */
class Best {
  readonly ranked: Ranked[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(id: string, score: number): void {
    const { ranked } = this;
    const last = ranked.at(-1);
    if (ranked.length >= this.#limit && (!last || !isBetter(id, score, last))) return;
    let place = ranked.length;
    while (place > 0 && isBetter(id, score, ranked[place - 1] as Ranked)) place--;
    ranked.splice(place, 0, { id, score });
    if (ranked.length > this.#limit) ranked.pop();
  }
}

function isBetter(id: string, score: number, than: Ranked): boolean {
  return score > than.score || (score === than.score && id > than.id);
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

/** So many words have at most 128 bits set in each of their four columns of bytes, which a byte can count. */
const WORDS_AT_ONCE = 16;

/** How many bits differ. Those of a byte are counted in place (Hacker's Delight, 5-1), and added up once for many words. */
function unlike(bits: Uint32Array, from: number, wanted: Uint32Array, count: number): number {
  let distance = 0;
  for (let i = 0; i < count; ) {
    const end = Math.min(i + WORDS_AT_ONCE, count);
    let bytes = 0;
    for (; i < end; i++) {
      let word = (bits[from + i] as number) ^ (wanted[i] as number);
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      bytes += (word + (word >>> 4)) & 0x0f0f0f0f;
    }
    const pairs = (bytes & 0x00ff00ff) + ((bytes >>> 8) & 0x00ff00ff);
    distance += (pairs & 0xffff) + (pairs >>> 16);
  }
  return distance;
}

function grown<T extends Uint32Array | Int8Array | Float32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

interface Shares {
  /** By slot. */
  of: Float32Array;
  /** Those that have any. */
  slots: number[];
}

const STEPS = 128;

/** Those with the greatest shares, and not many more. Sorting thousands would take longer than everything else. */
function mostOf({ of, slots }: Shares, count: number): number[] {
  if (slots.length <= count) return slots;
  const stepOf = (slot: number) => Math.min(STEPS - 1, Math.floor((of[slot] as number) * STEPS));
  const histogram = new Uint32Array(STEPS);
  for (const slot of slots) {
    const step = stepOf(slot);
    histogram[step] = (histogram[step] as number) + 1;
  }
  let above = 0;
  let least = STEPS - 1;
  while (least > 0 && above + at(histogram, least) < count) above += at(histogram, least--);
  let room = count - above;
  return slots.filter((slot) => stepOf(slot) > least || (stepOf(slot) === least && room-- > 0));
}
