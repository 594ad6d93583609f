/** What the judges behind an address share: sending a question, one repair, and telling what an answer means. */
import { type Outbound, type OutboundAnswer, OutboundError } from '../../../platform/outbound/http.js';
import { parseBounded, UnreadableJson } from '../../../platform/outbound/json.js';
import { JudgeFailure, type JudgeFailureReason } from './failure.js';
import { type GivenVerdict, readVerdict } from './verdict.js';

/** A verdict is a few sentences; reasoning models add counts, not text. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** What a judge said: text that should hold a verdict, or that it will not give one. */
export type Said = { text: string } | { refusal: true };

/** Asks, and asks once more when the answer cannot be read. */
export async function askTwice(ask: (earlier: string | null) => Promise<Said>): Promise<GivenVerdict> {
  let earlier: string | null = null;
  for (let attempt = 0; attempt < 2; attempt++) {
    const said = await ask(earlier);
    if ('refusal' in said) throw new JudgeFailure('refused');
    const verdict = readVerdict(said.text);
    if (verdict) return verdict;
    earlier = said.text;
  }
  throw new JudgeFailure('unreadable');
}

export async function postJson(service: Outbound, path: string, json: unknown, signal: AbortSignal): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', path, headers, body: JSON.stringify(json), maxBytes: MAX_ANSWER_BYTES } as const;
  const { status, body } = await sent(service.send(request, signal));
  if (status < 200 || status >= 300) throw new JudgeFailure(reasonOf(status), { status });
  try {
    return parseBounded(body);
  } catch (error) {
    if (error instanceof UnreadableJson) throw new JudgeFailure('unreadable', { status });
    throw error;
  }
}

async function sent(answer: Promise<OutboundAnswer>): Promise<OutboundAnswer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof OutboundError) throw new JudgeFailure(error.problem, { cause: error });
    throw error;
  }
}

// Anthropic's 529 says "overloaded".
function reasonOf(status: number): JudgeFailureReason {
  if (status === 401 || status === 403) return 'credentials';
  if (status === 429) return 'rate_limited';
  if (status === 503 || status === 529) return 'overloaded';
  return status >= 500 || status === 408 ? 'failed' : 'rejected';
}
