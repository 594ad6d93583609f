/** The index in memory: what it ranks first is what a comparison with everything would. */
import { describe, expect, it } from 'vitest';
import { similarity, unit, type Vector } from '../../subgraphs/registry/embedding/encoder.js';
import { quantized, storedVector } from '../../subgraphs/registry/search/embedding.js';
import { SearchIndex } from '../../subgraphs/registry/search/search-index.js';
import { wordsToCompare } from '../../subgraphs/registry/search/words.js';

const DIMENSIONS = 512;

/** Numbers that are the same in every run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomOf(7);
const around = (centre: Vector, noise: number): Vector => unit(centre.map((value) => value + (random() - 0.5) * noise));
const anywhere = () => unit(Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5));
const stored = (vector: Vector) => storedVector({ model: 'm', vector: quantized(vector) as never }, 'm');

/** Texts of some subjects, as encoders place them: alike ones close together. */
function made(count: number): { id: string; exact: Vector }[] {
  const centres = Array.from({ length: 40 }, anywhere);
  return Array.from({ length: count }, (_, i) => ({
    id: String(i).padStart(6, '0'),
    exact: around(centres[i % centres.length] as Vector, 0.12),
  }));
}

describe('the ranking', () => {
  it('of ten thousand has the ten that a full comparison finds, or as good ones', () => {
    const entries = made(10_000);
    const index = new SearchIndex();
    for (const { id, exact } of entries) index.put({ id, vector: stored(exact), words: [] });
    let same = 0;
    for (let nth = 0; nth < 20; nth++) {
      const vector = around((entries[nth] as { exact: Vector }).exact, 0.12);
      const truth = entries
        .map(({ id, exact }) => ({ id, score: similarity(exact, vector) }))
        .sort((one, other) => other.score - one.score)
        .slice(0, 10);
      const ranked = index.rank({ vector, words: [] }, 10);
      expect(ranked).toHaveLength(10);
      const worst = truth.at(-1)?.score ?? 0;
      for (const { id, score } of ranked) {
        const exact = entries[Number(id)]?.exact as Vector;
        expect(Math.abs(score - similarity(exact, vector))).toBeLessThan(0.01);
        expect(score).toBeGreaterThan(worst - 0.03);
      }
      same += ranked.filter(({ id }) => truth.some((best) => best.id === id)).length;
    }
    expect(same / 200).toBeGreaterThan(0.95);
  });

  it('is that of what was put in last, through thousands of changes', () => {
    const index = new SearchIndex();
    const model = new Map<string, { exact: Vector; words: string[] }>();
    const vectors = Array.from({ length: 60 }, anywhere);
    const vocabulary = ['tax', 'trip', 'code', 'cook', 'team', 'rare'];
    for (let step = 0; step < 3_000; step++) {
      const id = String(Math.floor(random() * 80));
      if (random() < 0.3) {
        index.remove(id);
        model.delete(id);
      } else {
        const exact = vectors[Math.floor(random() * vectors.length)] as Vector;
        const words = vocabulary.filter(() => random() < 0.3);
        index.put({ id, vector: stored(exact), words });
        model.set(id, { exact, words });
      }
      if (step % 100 !== 99) continue;
      const vector = anywhere();
      const ranked = index.rank({ vector, words: ['rare', 'unheard-of'] }, 200);
      expect(new Set(ranked.map((hit) => hit.id))).toEqual(new Set(model.keys()));
      const withRare = [...model.values()].filter(({ words }) => words.includes('rare')).length;
      const [rare, unheard] = [Math.log(1 + model.size / (1 + withRare)), Math.log(1 + model.size)];
      for (const hit of ranked) {
        const { exact, words } = model.get(hit.id) as { exact: Vector; words: string[] };
        const share = words.includes('rare') ? rare / (rare + unheard) : 0;
        expect(hit.score).toBeCloseTo(similarity(exact, vector) + 0.3 * share, 1);
      }
    }
    expect(index.size).toBe(model.size);
  });

  it('finds what has no vector, or one of another length, by its words', () => {
    const index = new SearchIndex();
    index.put({ id: 'a', vector: null, words: ['tax'] });
    index.put({ id: 'b', vector: stored(anywhere()), words: ['trip'] });
    index.put({ id: 'c', vector: new Int8Array(8).fill(1), words: ['tax'] });
    const wanted = { vector: anywhere(), words: ['tax'] };
    expect(index.rank(wanted, 2).map(({ id }) => id)).toEqual(['c', 'a']);
    expect(index.rank({ ...wanted, vector: new Float32Array(8).fill(1) }, 5)).toHaveLength(2);
    expect(new SearchIndex().rank(wanted, 5)).toEqual([]);
  });

  it('takes thousands alike without looking at each', () => {
    const index = new SearchIndex();
    const vector = anywhere();
    const alike = stored(vector);
    for (let i = 0; i < 5_000; i++) index.put({ id: String(i).padStart(5, '0'), vector: alike, words: ['same'] });
    const ranked = index.rank({ vector, words: ['same'] }, 10);
    expect(ranked).toHaveLength(10);
    expect(ranked[0]?.score).toBeCloseTo(1.3, 1);
  });
});

describe('words', () => {
  it('are compared without endings, accents, cases and what says nothing', () => {
    expect(wordsToCompare('The Reviews of REVIEWED reviewing cafés')).toEqual([
      'review',
      'café'.normalize('NFKD').replaceAll(/\p{M}/gu, ''),
    ]);
    expect(wordsToCompare('policies policy')).toEqual(['policy']);
    expect(wordsToCompare('to be or not to be')).toEqual(['to', 'be', 'or', 'not']);
    expect(wordsToCompare('')).toEqual([]);
  });
});
