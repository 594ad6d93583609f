/** How a safety rule is written: what it looks for, how far apart its parts may be, and what it says to the author. */

export type Category = 'exfiltration' | 'destructive' | 'override' | 'execution' | 'obfuscation' | 'caution';

export interface Rule {
  name: string;
  category: Category;
  /** What the author reads: the trouble, as the end of "line 4: …". */
  says: string;
  /** Sentence: all parts stand in one sentence or command. Passage: in one paragraph, list or code block. */
  within: 'sentence' | 'passage';
  /** Places of every occurrence. The text is short (see passages.ts), so patterns need only be free of nesting. */
  find(text: string): number[];
}

export interface Finding {
  rule: string;
  category: Category;
  says: string;
  line: number;
}

/** One pattern, anywhere. It must be global. */
export function matches(pattern: RegExp): (text: string) => number[] {
  return (text) => [...text.matchAll(pattern)].map(({ index }) => index);
}

/** Every occurrence of the first pattern, provided that all the others occur as well. */
export function together(pattern: RegExp, ...others: readonly RegExp[]): (text: string) => number[] {
  const find = matches(pattern);
  return (text) => (others.every((other) => text.search(other) >= 0) ? find(text) : []);
}

/** Drops what `find` found when a pattern occurs that takes the harm out of it. */
export function unless(pattern: RegExp, find: (text: string) => number[]): (text: string) => number[] {
  return (text) => {
    const found = find(text);
    return found.length > 0 && text.search(pattern) >= 0 ? [] : found;
  };
}

export function anyOf(...finders: readonly ((text: string) => number[])[]): (text: string) => number[] {
  return (text) => finders.flatMap((find) => find(text));
}

/** Several patterns as alternatives of one. */
export function oneOf(...sources: readonly RegExp[]): RegExp {
  return new RegExp(sources.map(({ source }) => `(?:${source})`).join('|'), 'gi');
}
