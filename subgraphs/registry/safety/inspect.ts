/** Reads a text by rules, in turns, so that a long one does not hold up everybody else. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isMention } from './context.js';
import { hiddenTags, layersOf } from './disguise.js';
import { type Passage, passagesOf } from './passages.js';
import type { Finding, Rule } from './rule.js';
import { DESTRUCTIVE } from './rules/destructive.js';
import { RUNS_DOWNLOAD, RUNS_SHELL, UNPACKS_AND_RUNS } from './rules/execution.js';
import { EXFILTRATION } from './rules/exfiltration.js';
import { OVERRIDE } from './rules/override.js';

/** What a published template must not hold. */
export const BLOCKING: readonly Rule[] = [...EXFILTRATION, ...DESTRUCTIVE, ...OVERRIDE, UNPACKS_AND_RUNS];

/** What may not be hidden: in the open, running a download is bad style rather than an attack. */
const NOT_HIDDEN: readonly Rule[] = [...BLOCKING, RUNS_DOWNLOAD, RUNS_SHELL];

const TURN_MS = 8;
const ENOUGH_FINDINGS = 20;

/** Everything harmful that a text says, openly or in disguise. */
export async function inspect(text: string): Promise<Finding[]> {
  const pace = pacer();
  const findings = await applyRules(BLOCKING, text, pace);
  for (const { at, text: hidden } of hiddenTags(text)) {
    findings.push({
      rule: 'hidden-text',
      category: 'obfuscation',
      says: `holds ${hidden.length} characters of text that cannot be seen`,
      line: lineOf(text, at),
    });
  }
  let whole: Occurrences | undefined;
  const open = new Set(findings.map(({ rule }) => rule));
  for (const { disguise, text: plain, was, at } of layersOf(text)) {
    if (findings.length >= ENOUGH_FINDINGS) break;
    const bared = await occurrences(NOT_HIDDEN, plain, pace);
    if (bared.size === 0) continue;
    // What stands there in the open as well was judged with its context.
    if (was === text) whole ??= await occurrences(NOT_HIDDEN, text, pace);
    const openly = was === text && whole ? whole : await occurrences(NOT_HIDDEN, was, pace);
    const hidden = NOT_HIDDEN.find(
      ({ name }) => !open.has(name) && (bared.get(name)?.count ?? 0) > (openly.get(name)?.count ?? 0),
    );
    if (!hidden) continue;
    findings.push({
      rule: `disguised-${hidden.name}`,
      category: 'obfuscation',
      says: `hides, in ${disguise}, what ${hidden.says}`,
      line: at > 0 ? lineOf(text, at) : (bared.get(hidden.name)?.line ?? 1),
    });
  }
  return findings.slice(0, ENOUGH_FINDINGS);
}

/** The first place of each rule at which the thing is asked for rather than written about. */
export async function applyRules(rules: readonly Rule[], text: string, pace: Pace): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const passage of passagesOf(text)) {
    await pace();
    for (const rule of rules) {
      if (findings.has(rule.name)) continue;
      const asked = placesOf(rule, passage).find((place) => !isMention(passage, place));
      if (asked === undefined) continue;
      const { name, category, says } = rule;
      findings.set(name, { rule: name, category, says, line: passage.lineOf(asked) });
    }
  }
  return [...findings.values()];
}

type Occurrences = Map<string, { count: number; line: number }>;

/** How often each rule applies, whatever the context. */
async function occurrences(rules: readonly Rule[], text: string, pace: Pace): Promise<Occurrences> {
  const found: Occurrences = new Map();
  for (const passage of passagesOf(text)) {
    await pace();
    for (const rule of rules) {
      const [first, ...others] = placesOf(rule, passage);
      if (first === undefined) continue;
      const { count, line } = found.get(rule.name) ?? { count: 0, line: passage.lineOf(first) };
      found.set(rule.name, { count: count + 1 + others.length, line });
    }
  }
  return found;
}

function placesOf(rule: Rule, passage: Passage): number[] {
  if (rule.within === 'passage') return rule.find(passage.text);
  return passage.sentences.flatMap(({ text, at }) => rule.find(text).map((place) => at + place));
}

export type Pace = () => Promise<void>;

/** Lets others have their turn whenever this one has lasted long enough. */
export function pacer(): Pace {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN_MS) return;
    await nextTurn();
    since = performance.now();
  };
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line += 1;
  return line;
}
