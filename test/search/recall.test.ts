/** How well search finds what people mean, by the labelled set; and that it still finds what they name. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CachedEncoder } from '../../subgraphs/registry/embedding/cached-encoder.js';
import type { Encoder } from '../../subgraphs/registry/embedding/encoder.js';
import { LocalEncoder } from '../../subgraphs/registry/embedding/local-encoder.js';
import { embeddingOf, storedVector } from '../../subgraphs/registry/search/embedding.js';
import { readQuery } from '../../subgraphs/registry/search/query.js';
import { SearchIndex, type Wanted } from '../../subgraphs/registry/search/search-index.js';
import { wordsToCompare } from '../../subgraphs/registry/search/words.js';
import { LABELLED_QUERIES, LABELLED_TEMPLATES, type LabelledTemplate } from './labelled.js';

const AT_LEAST = 0.85;

let encoder: Encoder;
const index = new SearchIndex();

beforeAll(async () => {
  encoder = new CachedEncoder(new LocalEncoder());
  for (const template of LABELLED_TEMPLATES) {
    const vector = storedVector(await embeddingOf(encoder, template), encoder.model);
    index.put({ id: template.id, vector, words: wordsToCompare(textOf(template)) });
  }
});
afterAll(() => encoder?.close());

function textOf({ name, description, outcome, tags }: LabelledTemplate): string {
  return [name, description, outcome, ...tags].join(' ');
}

const NO_MEANING = new Float32Array();

async function rankOf(query: string, id: string, how: (wanted: Wanted) => Wanted = (wanted) => wanted) {
  const found = index.rank(how(await readQuery(encoder, { query })), LABELLED_TEMPLATES.length);
  const rank = found.filter(({ score }) => score > 0).findIndex((hit) => hit.id === id);
  return rank < 0 ? Number.POSITIVE_INFINITY : rank + 1;
}

async function recalls(how?: (wanted: Wanted) => Wanted) {
  const ranks: { query: string; finds: string; rank: number }[] = [];
  for (const { query, finds } of LABELLED_QUERIES) ranks.push({ query, finds, rank: await rankOf(query, finds, how) });
  const share = (most: number) => ranks.filter(({ rank }) => rank <= most).length / ranks.length;
  return { at1: share(1), at5: share(5), missed: ranks.filter(({ rank }) => rank > 5) };
}

describe('the labelled set', () => {
  it('is large enough, and its queries hold no word of what they are to find', () => {
    expect(LABELLED_TEMPLATES.length).toBeGreaterThanOrEqual(40);
    expect(LABELLED_QUERIES.length).toBeGreaterThanOrEqual(60);
    const byId = new Map(LABELLED_TEMPLATES.map((template) => [template.id, template]));
    for (const { query, finds } of LABELLED_QUERIES) {
      const words = new Set(wordsToCompare(textOf(byId.get(finds) as LabelledTemplate)));
      expect(
        wordsToCompare(query).filter((word) => words.has(word)),
        query,
      ).toEqual([]);
    }
  });
});

describe('search', () => {
  it(`finds at least ${AT_LEAST} of what is meant among its first five`, async () => {
    const [whole, meaning, words] = [
      await recalls(),
      await recalls((wanted) => ({ ...wanted, words: [] })),
      await recalls((wanted) => ({ ...wanted, vector: NO_MEANING })),
    ];
    const line = (name: string, { at1, at5 }: typeof whole) =>
      `  ${name.padEnd(18)} recall@1 ${at1.toFixed(3)}   recall@5 ${at5.toFixed(3)}\n`;
    process.stdout.write(
      `${LABELLED_QUERIES.length} queries, ${LABELLED_TEMPLATES.length} templates, ${encoder.model}\n${line('search', whole)}${line('meaning alone', meaning)}${line('words alone', words)}`,
    );
    expect(whole.at5, JSON.stringify(whole.missed, null, 1)).toBeGreaterThanOrEqual(AT_LEAST);
  });

  it('puts what is called by its name first, in whatever case', async () => {
    for (const { id, name } of LABELLED_TEMPLATES) {
      expect(await rankOf(name, id), name).toBe(1);
      expect(await rankOf(name.toUpperCase(), id), name).toBe(1);
    }
  });

  it('finds what shares a rare word with the query, whatever else it says', async () => {
    expect(await rankOf('something about WCAG maybe', 'accessibility-audit')).toBeLessThanOrEqual(3);
    expect(await rankOf('our kubernetes thing', 'kubernetes-deploy')).toBe(1);
    expect(await rankOf('GDPR', 'privacy-assessment')).toBe(1);
  });
});
