/** What two texts have in common by their words: as they stand, but for endings and words that say nothing. */
import { plainWords } from '../workflow/workflow.rules.js';

const SAYS_NOTHING: ReadonlySet<string> = new Set(
  `a about above after all also am an and any are as at be been before being below between both but by can could did do
  does doing down during each every few for from further get give had has have having he her here hers him his how i if
  in into is it its itself just know let like make may me might more most must my need no nor not now of off on once one
  only or other our out over own please same she should so some something such take tell than that the their them then
  there these they this those through to too under until up us use using very want was way we were what when where which
  while who whom whose why will with without would you your`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

const ENDINGS = ['ies', 'ing', 'ers', 'ed', 'er', 'es', 's'] as const;
const SHORTEST_STEM = 4;

/** Of a text that says nothing but such words, these. */
export function wordsToCompare(text: string): string[] {
  const all = plainWords(text);
  const telling = all.filter((word) => !SAYS_NOTHING.has(word));
  return [...new Set((telling.length > 0 ? telling : all).map(stemOf))];
}

/** Crude, and the same for both sides, which is all that a comparison needs. */
function stemOf(word: string): string {
  const ending = ENDINGS.find((end) => word.endsWith(end) && word.length - end.length >= SHORTEST_STEM);
  if (ending === undefined) return word;
  const stem = word.slice(0, word.length - ending.length);
  return ending === 'ies' ? `${stem}y` : stem;
}
