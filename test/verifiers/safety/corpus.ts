/** The labelled texts: in files of their own, so that no editor or formatter touches what they hide. */
import { readFileSync } from 'node:fs';

/** Two that were written before there was a rule, of which the second was kept out of their making, and one after. */
export const CORPORA = ['tuned', 'held-out', 'later'] as const;

export interface Labelled {
  name: string;
  harmful: boolean;
  category: string | null;
  text: string;
}

/** Characters that cannot be seen are written by their numbers: <<U+200B>>, <<TAGS:text>>. */
export function corpus(file: (typeof CORPORA)[number]): Labelled[] {
  const source = readFileSync(new URL(`./${file}.txt`, import.meta.url), 'utf8');
  const parts = source.split(/^--- (harmful|harmless) ?(\w*)$\n/m).slice(1);
  const texts: Labelled[] = [];
  for (let i = 0; i < parts.length; i += 3) {
    const [label, category, text = ''] = parts.slice(i, i + 3);
    texts.push({
      name: `${file} ${texts.length + 1}`,
      harmful: label === 'harmful',
      category: category || null,
      text: unmask(text.trim()),
    });
  }
  return texts;
}

function unmask(text: string): string {
  return text
    .replaceAll(/<<U\+([0-9A-F]{4,6})>>/g, (_match, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll(/<<TAGS:([^>]+)>>/g, (_match, hidden: string) =>
      [...hidden].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join(''),
    );
}
