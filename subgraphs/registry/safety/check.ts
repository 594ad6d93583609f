/** Both safety checks of a runbook and its files: before it is published, and whenever somebody asks. */
import type { Scope } from '../../../platform/scope.js';
import { type VerifierRunDocument, VerifierRunStatus } from '../verifier/verifier-run.model.js';
import type { Piece, VerifierRunService } from '../verifier/verifier-run.service.js';
import { textOf } from './text.js';

export interface CheckedContent {
  body: string;
  description: string;
  outcome: string;
  files: readonly { path: string; bytes: Buffer }[];
}

export type SafetyVerdict = 'clean' | 'flagged' | 'blocked' | 'error';

export interface SafetyReport {
  status: SafetyVerdict;
  block: VerifierRunDocument;
  /** Null when it was not asked, since what is blocked needs no advice. */
  advisory: VerifierRunDocument | null;
}

// Below what one run may be given, so that a sentence cut by the end of a piece is whole in the next.
const PIECE = 180_000;
const OVERLAP = 2_000;
const MAX_NAMED = 3;

export class SafetyChecks {
  readonly #runs: VerifierRunService;

  constructor(runs: VerifierRunService) {
    this.#runs = runs;
  }

  /** Two metered runs, whatever the first one says: that is what was asked for and is paid for. */
  async onRequest(scope: Scope, content: CheckedContent): Promise<SafetyReport> {
    const pieces = piecesOf(content);
    const block = await this.#runs.runSystem(scope, 'template-safety-block', pieces, { metered: true });
    const advisory = await this.#runs.runSystem(scope, 'template-safety-advisory', pieces, { metered: true });
    return { status: statusOf(block, advisory), block, advisory };
  }

  /** Costs nothing. */
  async beforePublishing(scope: Scope, content: CheckedContent): Promise<SafetyReport> {
    const pieces = piecesOf(content);
    const block = await this.#runs.runSystem(scope, 'template-safety-block', pieces, { metered: false });
    const stopped = block.status === VerifierRunStatus.ERROR || block.passed === false;
    const advisory = stopped
      ? null
      : await this.#runs.runSystem(scope, 'template-safety-advisory', pieces, { metered: false });
    return { status: statusOf(block, advisory), block, advisory };
  }
}

function statusOf(block: VerifierRunDocument, advisory: VerifierRunDocument | null): SafetyVerdict {
  // What was found stands, whether or not the other check could be done.
  if (block.passed === false) return 'blocked';
  const failed = [block, advisory].some((run) => run?.status === VerifierRunStatus.ERROR);
  if (failed) return 'error';
  return advisory?.passed === false ? 'flagged' : 'clean';
}

/** What a judge reads at a time: the body, then the files, as many together as fit. */
export function piecesOf({ body, description, outcome, files }: CheckedContent): Piece[] {
  const inputs = (text: string) => ({ body: text, description, outcome });
  const pieces: Piece[] = partsOf(body).map(({ text, line }) => ({
    of: null,
    inputs: inputs(text),
    place: placeAmong([{ source: 'body', from: 1, line }]),
  }));
  let together = '';
  let parts: Part[] = [];
  const flush = () => {
    if (parts.length > 0) {
      const of = named(parts.map(({ source }) => source));
      pieces.push({ of, inputs: inputs(together), place: placeAmong(parts) });
    }
    together = '';
    parts = [];
  };
  for (const { path, bytes } of files) {
    for (const { text, line } of partsOf(textOf(bytes))) {
      const head = `File ${path}:\n\n`;
      const framed = `${head}${text}\n\n`;
      if (together.length + framed.length > PIECE) flush();
      parts.push({ source: path, from: linesIn(together + head), line });
      together += framed;
    }
  }
  flush();
  return pieces;
}

/** Where a text stands in a piece, and on which of its own lines it begins there. */
interface Part {
  source: string;
  from: number;
  line: number;
}

/** An author knows the lines of a file, not those of what a judge was given. */
function placeAmong(parts: readonly Part[]): NonNullable<Piece['place']> {
  return (field, line) => {
    const part = field === 'body' ? (parts.findLast(({ from }) => from <= line) ?? parts[0]) : undefined;
    if (!part) return `${field}, line ${line}`;
    return `${part.source}, line ${Math.max(0, line - part.from) + part.line}`;
  };
}

function partsOf(text: string): { text: string; line: number }[] {
  const size = PIECE - OVERLAP;
  const parts = [{ text: text.slice(0, size), line: 1 }];
  for (let at = size; at < text.length; at += size - OVERLAP) {
    parts.push({ text: text.slice(at - OVERLAP, at + size - OVERLAP), line: linesIn(text.slice(0, at - OVERLAP)) });
  }
  return parts;
}

function linesIn(text: string): number {
  return text.split('\n').length;
}

function named(paths: readonly string[]): string {
  const distinct = [...new Set(paths)];
  const more = distinct.length - MAX_NAMED;
  return `the files ${distinct.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
