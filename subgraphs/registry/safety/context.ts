/**
 * Whether a text asks for a thing, or warns of it. Security documentation names what it guards against; a rule that
 * could not tell would refuse every runbook that says "never".
 */
import type { Passage, Sentence } from './passages.js';

// "Never hesitate to …" asks for it.
const NEGATION =
  /\b(?:never|do not|don['’]t|does not|must not|mustn['’]t|should not|shouldn['’]t|cannot|can['’]t|may not|avoids?|avoiding|refuses?|nobody|no one|none of|instead of|rather than|beware of|protects? (?:you )?(?:from|against)|prevents?|stop at)\b(?! (?:hesitate|forget|fail|ask|refuse|skip|worry|mind|wait|matter))/gi;

// Where a negation's reach ends.
const NEW_CLAUSE = /;|, (?:then|and then|but)\b| but | instead,|, so that| until | before you /i;
const REACH = 200;

// What somebody did once.
const REPORTED = /\b(?:ran|executed|typed|issued|had run|was run|were run|deleted|accidentally)\b[^.;!?]{0,30}$/i;

const EXPLANATION =
  /\b(?:attack(?:s|er|ers)?|adversar(?:y|ies)|malicious|malware|ransomware|phishing|spam|scam|(?:prompt )?injections?|exploits?|vulnerabilit(?:y|ies)|threats?|forensics?|detect(?:s|ed|ion|or)?|scanners?|alert on|(?:warning|tell-?tale) signs?|red flags?|reviewers?|code review|lessons?|students?|teach(?:es|ing)?|explains?|learn|course|exercise|demonstrates?|is (?:text|a command|a process|a technique|an attack)|famous(?:ly)?|notorious|infamous|so-called|would do|would delete|why (?:it|`|the)|dangerous|harmful|risky|bad idea|hints? (?:of|for|that)|be safe from|guard(?:s|ing)? against|defen[cs]e|mitigat(?:e|es|ion)|checklist|penetration test|untrusted|post-?mortem|incident|outage|by mistake|accident(?:ally)?)\b/i;

// The author wants it done: no explanation around it changes that.
const COMMAND_BEFORE =
  /(?:^|[.:;,!?*\-–—)\d] ?|\b(?:then|and|please|must|should|to|now|first) )(?:run|execute|type|enter|use|do|start|perform|apply|invoke|call|launch|issue|follow|put|add|paste)\b[^.;!?]{0,40}$/i;

/** Whether what stands at this place of the passage is warned of or written about rather than asked for. */
export function isMention(passage: Passage, place: number): boolean {
  const sentence = sentenceAt(passage, place);
  const before = sentence.text.slice(0, Math.max(0, place - sentence.at));
  if (isNegated(before) || REPORTED.test(before)) return true;
  if (COMMAND_BEFORE.test(before.slice(-REACH))) return false;
  return isExplanation(passage);
}

const EXPLAINED = new WeakMap<Passage, boolean>();

/** Only by its prose: names in addresses, paths and code are the author's to choose. */
function isExplanation(passage: Passage): boolean {
  let explained = EXPLAINED.get(passage);
  if (explained === undefined) {
    const prose = `${passage.heading}\n${passage.text}`.replaceAll(/`[^`]*`|\S*[/\\=$]\S*/g, ' ');
    explained = EXPLANATION.test(prose);
    EXPLAINED.set(passage, explained);
  }
  return explained;
}

function isNegated(before: string): boolean {
  const near = before.slice(-REACH);
  for (const { index, 0: word } of near.matchAll(NEGATION)) {
    if (!NEW_CLAUSE.test(near.slice(index + word.length))) return true;
  }
  return false;
}

function sentenceAt({ sentences, text }: Passage, place: number): Sentence {
  return sentences.findLast(({ at }) => at <= place) ?? { text, at: 0 };
}
