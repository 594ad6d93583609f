/** Letters of other scripts that look like Latin ones, for words that mix the two. */

const CYRILLIC = 'аАвВеЕкКмМнНоОрРсСтТуУхХіІјЈѕЅԁԛԝһғɡ';
const CYRILLIC_AS = 'aAbBeEkKmMhHoOpPcCtTyYxXiIjJsSdqwhfg';
const GREEK = 'αΑβΒεΕηΗιΙκΚμΜνΝοΟρΡτΤυΥχΧωγ';
const GREEK_AS = 'aAbBeEnHiIkKuMvNoOpPtTuYxXwy';
const OTHERS = 'ıƖɑօՕսհոѡℓ∕⁄';
const OTHERS_AS = 'ilaoOuhnwl//';

const LATIN = new Map<string, string>();
for (const [from, to] of [
  [CYRILLIC, CYRILLIC_AS],
  [GREEK, GREEK_AS],
  [OTHERS, OTHERS_AS],
] as const) {
  const letters = [...to];
  for (const [i, letter] of [...from].entries()) LATIN.set(letter, letters[i] ?? letter);
}

const FOREIGN = /[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u0131\u0196\u0251\u0261\u2113\u2215\u2044]/;

/** True for a word that only somebody who wants to deceive writes: Latin letters among look-alikes. */
export function mixesScripts(text: string): boolean {
  return words(text).some(isMixed);
}

/** Words that mix scripts, and those that consist of look-alikes alone, in Latin letters. Other words stay. */
export function unconfuse(text: string): string {
  if (!FOREIGN.test(text)) return text;
  return text.replaceAll(/[\p{L}\p{N}∕⁄]{1,64}/gu, (word) =>
    isMixed(word) || allLookAlike(word) ? [...word].map((letter) => LATIN.get(letter) ?? letter).join('') : word,
  );
}

function words(text: string): string[] {
  return FOREIGN.test(text) ? (text.match(/[\p{L}\p{N}]{1,64}/gu) ?? []) : [];
}

function isMixed(word: string): boolean {
  return FOREIGN.test(word) && /[a-z]/i.test(word);
}

function allLookAlike(word: string): boolean {
  return [...word].every((letter) => LATIN.has(letter));
}
