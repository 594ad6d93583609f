/** A text cut into what belongs together: paragraphs, list items and code blocks, and in them sentences. */

export interface Sentence {
  text: string;
  /** Where it starts in its passage. */
  at: number;
}

export interface Passage {
  /** With every run of blanks as one blank, so that spacing neither hides nor separates anything. */
  text: string;
  sentences: Sentence[];
  /** The heading and the opening above it, which tell what the passage is about. */
  heading: string;
  /** The line of the original on which a place of the text is. */
  lineOf(place: number): number;
}

// Rules cost in proportion to the length of a passage, some to its square: a passage without an end is cut.
const MAX_PASSAGE = 1_500;
const OVERLAP = 300;

/** Yields as it goes, so that a long text can be worked on in turns. */
export function* passagesOf(text: string): Generator<Passage> {
  let heading = '';
  for (const { lines, line } of blocks(text)) {
    const joined = lines
      .join('\n')
      .replaceAll(/[^\S\n]+/g, ' ')
      .replaceAll(/ ?\n ?/g, '\n')
      .trim();
    if (joined === '') continue;
    for (const { piece, from } of pieces(joined)) {
      const lineOf = (place: number) => line + joined.slice(0, from + place).split('\n').length - 1;
      yield { text: flat(piece), sentences: sentences(piece), heading, lineOf };
    }
    if (/^#{1,6} /.test(joined) || lines.length === 1) heading = joined.slice(0, 200);
  }
}

interface Block {
  lines: string[];
  line: number;
}

function* blocks(text: string): Generator<Block> {
  let open: Block | null = null;
  let fenced = false;
  let line = 0;
  for (const content of eachLine(text)) {
    line += 1;
    const fence = /^\s{0,3}(```|~~~)/.test(content);
    if (fence) fenced = !fenced;
    if (content.trim() === '' && !fenced) {
      if (open) yield open;
      open = null;
      continue;
    }
    open ??= { lines: [], line };
    open.lines.push(content);
  }
  if (open) yield open;
}

function* eachLine(text: string): Generator<string> {
  let from = 0;
  while (from <= text.length) {
    const end = text.indexOf('\n', from);
    yield text.slice(from, end < 0 ? text.length : end).replace(/\r$/, '');
    if (end < 0) return;
    from = end + 1;
  }
}

function* pieces(text: string): Generator<{ piece: string; from: number }> {
  for (let from = 0; from === 0 || from + OVERLAP < text.length; from += MAX_PASSAGE - OVERLAP) {
    yield { piece: text.slice(from, from + MAX_PASSAGE), from };
  }
}

/** The offsets stay those of the piece. */
function flat(piece: string): string {
  return piece.replaceAll('\n', ' ');
}

function sentences(piece: string): Sentence[] {
  const found: Sentence[] = [];
  let from = 0;
  // A full stop ends a sentence only before a blank: paths, commands and addresses are full of others.
  for (const { index, 0: end } of piece.matchAll(/[.!?]["'”’)`*]? |\n/g)) {
    found.push({ text: flat(piece.slice(from, index + end.length)), at: from });
    from = index + end.length;
  }
  if (from < piece.length) found.push({ text: flat(piece.slice(from)), at: from });
  return found;
}
