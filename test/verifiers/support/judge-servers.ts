/** Stand-ins for the judges that cost money: OpenAI's chat completions and Anthropic's messages, as documented. */
import { type Dialect, openStandIn, type Recorded, type Reply, type StandIn } from '../../providers/stand-in.js';

export interface JudgeServer extends StandIn {
  /** What it says as the text of its message, by the request; a verdict unless a test says otherwise. */
  says: (request: Recorded) => string;
}

export const PASSES = JSON.stringify({ reasoning: 'It is clear.', passed: true });
export const FAILS = JSON.stringify({ reasoning: 'It hedges.', passed: false });

async function openJudge(dialectOf: (says: (request: Recorded) => string) => Dialect): Promise<JudgeServer> {
  const standIn = await openStandIn(dialectOf((request) => server.says(request)));
  const server: JudgeServer = Object.assign(standIn, { says: () => PASSES });
  const reset = standIn.reset.bind(standIn);
  server.reset = () => {
    reset();
    server.says = () => PASSES;
  };
  return server;
}

export function openChatServer(): Promise<JudgeServer> {
  const completion = (message: object, finish = 'stop'): Reply => ({
    body: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_770_000_000,
      model: 'gpt-5-mini',
      choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', refusal: null, ...message } }],
      usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
    },
  });
  const error = (status: number, type: string, code: string | null): Reply => ({
    status,
    body: { error: { message: `about sk-secret: ${type}`, type, param: null, code } },
  });
  return openJudge((says) => ({
    answer: (request) => completion({ content: says(request) }),
    refuse: completion({ content: null, refusal: 'I cannot help with that.' }),
    badKey: error(401, 'invalid_request_error', 'invalid_api_key'),
    invalid: error(400, 'invalid_request_error', null),
    rateLimited: error(429, 'rate_limit_exceeded', 'rate_limit_exceeded'),
    serverError: error(500, 'server_error', null),
    noPicture: completion({ content: null }),
    notAPicture: { body: { object: 'chat.completion', choices: [] } },
  }));
}

export function openMessagesServer(): Promise<JudgeServer> {
  const message = (content: object[], stop = 'end_turn'): Reply => ({
    body: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-haiku-4-5',
      content,
      stop_reason: stop,
      stop_sequence: null,
      usage: { input_tokens: 9, output_tokens: 12 },
    },
  });
  const error = (status: number, type: string): Reply => ({
    status,
    body: { type: 'error', error: { type, message: `about sk-secret: ${type}` }, request_id: 'req_1' },
  });
  return openJudge((says) => ({
    answer: (request) => message([{ type: 'text', text: says(request) }]),
    refuse: message([{ type: 'text', text: 'I will not' }], 'refusal'),
    badKey: error(401, 'authentication_error'),
    invalid: error(400, 'invalid_request_error'),
    rateLimited: error(429, 'rate_limit_error'),
    serverError: error(529, 'overloaded_error'),
    noPicture: message([]),
    notAPicture: { body: { type: 'message', content: 'text' } },
  }));
}

/** What a request tells the model: its system text, and the text of its last question. */
export function promptIn({ json }: Recorded): { system: string; user: string } {
  const messages = json['messages'] as { role: string; content: string | { type: string; text?: string }[] }[];
  const textOf = (content: string | { type: string; text?: string }[] | undefined) =>
    typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join('');
  const system = json['system'] ?? textOf(messages.find(({ role }) => role === 'system')?.content);
  return { system: String(system), user: textOf(messages.find(({ role }) => role === 'user')?.content) };
}
