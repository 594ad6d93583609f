/** Whether a workflow is a runbook that somebody else could carry out: its structure, not its subject. */

interface Structure {
  body: string;
  frontMatter: string;
  headings: { level: number; title: string; line: number }[];
  steps: { text: string; line: number }[];
  words: number;
  openFence: number | null;
}

const MIN_WORDS = 30;
const MIN_STEPS = 2;
const MAX_STEP_WORDS = 250;

/** What is missing or wrong, in the order in which an author would mend it. Empty: the structure is sound. */
export function runbookGaps(workflow: string): string[] {
  const structure = read(workflow);
  const { words, headings, steps, openFence } = structure;
  const gaps: string[] = [];
  if (words < MIN_WORDS)
    gaps.push(`It has ${words} words: too few to say what is done, with what, and when it is done.`);
  if (openFence !== null) gaps.push(`The code block that begins on line ${openFence} is never closed.`);
  if (headings.length === 0 && !/^name\s*:/m.test(structure.frontMatter)) {
    gaps.push('It has no title: begin with a heading that names the job.');
  }
  if (!hasPurpose(structure))
    gaps.push('It does not say what comes of it: state the outcome, or the goal, near the top.');
  if (steps.length < MIN_STEPS) {
    gaps.push(`It has ${steps.length === 0 ? 'no steps' : 'one step'}: list what to do in order, one action a step.`);
  }
  for (const { text, line } of steps) {
    if (text.split(/\s+/).length > MAX_STEP_WORDS) gaps.push(`The step on line ${line} is very long: divide it.`);
  }
  const vague = steps.find(({ text }) =>
    /^(?:etc\.?|and so on|do the rest|continue|handle it|as usual|the usual)\.?$/i.test(text.trim()),
  );
  if (vague) gaps.push(`The step on line ${vague.line} does not say what to do.`);
  const blank = placeholder(workflow);
  if (blank) gaps.push(`Line ${blank.line} still holds a placeholder: “${blank.text}”.`);
  if (!hasCheck(structure))
    gaps.push('It does not say how to tell that it worked: add a check, or when it counts as done.');
  const twice = repeated(headings);
  if (twice) gaps.push(`The heading “${twice.title}” on line ${twice.line} occurs twice on its level.`);
  const empty = emptySection(structure, workflow);
  if (empty) gaps.push(`The section “${empty.title}” on line ${empty.line} is empty.`);
  return gaps;
}

function read(workflow: string): Structure {
  const front = /^---\r?\n([\s\S]{0,20000}?)\r?\n---(?:\r?\n|$)/.exec(workflow);
  const skipped = front ? front[0].split('\n').length - 1 : 0;
  const lines = workflow.split(/\r?\n/);
  const structure: Structure = {
    body: front ? workflow.slice(front[0].length) : workflow,
    frontMatter: front?.[1] ?? '',
    headings: [],
    steps: [],
    words: 0,
    openFence: null,
  };
  structure.words = structure.body.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
  // Scripts without blanks between words are counted by their characters.
  structure.words += Math.floor(
    (structure.body.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0) / 2,
  );
  for (let i = skipped; i < lines.length; i++) readLine(lines[i] ?? '', i + 1, structure);
  return structure;
}

function readLine(content: string, line: number, structure: Structure): void {
  if (/^\s{0,3}(?:```|~~~)/.test(content)) {
    structure.openFence = structure.openFence === null ? line : null;
    return;
  }
  if (structure.openFence !== null) return;
  const heading = /^(#{1,6})\s+(.{1,300})$/.exec(content);
  if (heading) {
    const [, marks = '', title = ''] = heading;
    structure.headings.push({ level: marks.length, title: title.trim(), line });
    if (/^(?:step\s*)?\d+[.):\s–-]|^(?:schritt|étape|paso|шаг)\s*\d/iu.test(title.trim()))
      structure.steps.push({ text: title, line });
    return;
  }
  const item = /^\s{0,8}(?:\d{1,3}[.)、]|[-*+]\s\[[ x]\]|[-*+])\s*(\S.{0,5000})$/.exec(content);
  if (item) structure.steps.push({ text: item[1] ?? '', line });
}

function hasPurpose({ body, frontMatter, headings }: Structure): boolean {
  if (/^(?:description|outcome|goal|purpose)\s*:\s*\S/im.test(frontMatter)) return true;
  if (
    /\b(?:outcome|goal|purpose|objective|result|deliverables?|aim|so that|in order to|produces?|delivers?)\b/i.test(
      body,
    )
  )
    return true;
  // A paragraph between the title and the first section serves as well.
  const [first] = headings;
  const opening = first ? body.slice(body.indexOf(first.title) + first.title.length) : body;
  return (
    (opening
      .trimStart()
      .split(/\n\s*\n|\n#|(?:^|\n)\s*(?:\d+[.)]|[-*+])\s/)[0]
      ?.match(/[\p{L}\p{N}]+/gu)?.length ?? 0) >= 8
  );
}

function hasCheck({ body }: Structure): boolean {
  return /\b(?:verif(?:y|ies|ied|ier|ication)|check(?:s|ed|list)?|confirm(?:s|ed)?|validate[sd]?|make sure|ensure|test(?:s|ed)?|done when|success|acceptance|criteri(?:a|on)|review|compare|expect(?:ed)?|passes|prüfe|vérifi|comprueb|verifica)/i.test(
    body,
  );
}

function placeholder(workflow: string): { text: string; line: number } | null {
  const found =
    /\b(?:TODO|TBD|FIXME|XXX)\b|\blorem ipsum\b|\[(?:insert|your|fill in|add)\b[^\]\n]{0,60}\]|<(?:insert|your|fill in)\b[^>\n]{0,60}>/i.exec(
      workflow,
    );
  return found && { text: found[0], line: workflow.slice(0, found.index).split('\n').length };
}

function repeated(headings: Structure['headings']): Structure['headings'][number] | undefined {
  const seen = new Set<string>();
  return headings.find(({ level, title }) => {
    const key = `${level} ${title.toLowerCase()}`;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

function emptySection({ headings }: Structure, workflow: string): Structure['headings'][number] | undefined {
  const lines = workflow.split(/\r?\n/);
  return headings.find(({ level, line }, i) => {
    const next = headings[i + 1];
    // A heading above others is not empty.
    if (next && next.level > level) return false;
    return lines.slice(line, next ? next.line - 1 : lines.length).every((content) => content.trim() === '');
  });
}
