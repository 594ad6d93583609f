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
  const pieces: Piece[] = partsOf(body).map((text) => ({ of: null, inputs: inputs(text) }));
  let together = '';
  let paths: string[] = [];
  const flush = () => {
    if (paths.length > 0) pieces.push({ of: named(paths), inputs: inputs(together) });
    together = '';
    paths = [];
  };
  for (const { path, bytes } of files) {
    for (const part of partsOf(textOf(bytes))) {
      const text = `File ${path}:\n\n${part}\n\n`;
      if (together.length + text.length > PIECE) flush();
      together += text;
      paths.push(path);
    }
  }
  flush();
  return pieces;
}

function partsOf(text: string): string[] {
  const size = PIECE - OVERLAP;
  const parts = [text.slice(0, size)];
  for (let at = size; at < text.length; at += size - OVERLAP) parts.push(text.slice(at - OVERLAP, at + size - OVERLAP));
  return parts;
}

function named(paths: readonly string[]): string {
  const distinct = [...new Set(paths)];
  const more = distinct.length - MAX_NAMED;
  return `the files ${distinct.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
