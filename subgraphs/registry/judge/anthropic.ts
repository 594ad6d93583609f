/** Anthropic's Messages API, held to the verdict's form by output_config. */
import { z } from 'zod';
import { Outbound } from '../../../platform/outbound/http.js';
import { JudgeFailure } from './failure.js';
import type { Demand, Judge, Judgement, Question, ReasoningEffort } from './judge.js';
import { promptOf, REPAIR, VERDICT_SCHEMA } from './prompt.js';
import { askTwice, postJson, type Said } from './service.js';

export interface AnthropicJudgeSettings {
  baseUrl: string;
  apiKey: string;
  model: string;
}

const API_VERSION = '2023-06-01';
const MAX_TOKENS = 8_192;
const OWN_MODEL = /^claude/i;

const messageSchema = z.object({
  stop_reason: z.string().nullish(),
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
});

// What our settings have and its API has not.
const EFFORT: Readonly<Record<ReasoningEffort, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
};

export class AnthropicJudge implements Judge {
  readonly name = 'anthropic';
  readonly local = false;
  readonly #service: Outbound;
  readonly #model: string;

  constructor({ baseUrl, apiKey, model }: AnthropicJudgeSettings) {
    this.#service = new Outbound({ baseUrl, headers: { 'x-api-key': apiKey, 'anthropic-version': API_VERSION } });
    this.#model = model;
  }

  canJudge({ model }: Demand): boolean {
    return model === null || OWN_MODEL.test(model);
  }

  async judge(question: Question, signal: AbortSignal): Promise<Judgement> {
    const model = question.model ?? this.#model;
    const request = { model, max_tokens: MAX_TOKENS, ...requestOf(question) };
    const verdict = await askTwice(async (earlier) => {
      const messages = earlier === null ? request.messages : [...request.messages, ...repair(earlier)];
      return saidIn(await postJson(this.#service, '/messages', { ...request, messages }, signal));
    });
    return { ...verdict, judge: model };
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

function requestOf(question: Question) {
  const { system, user } = promptOf(question);
  const { picture, reasoningEffort } = question;
  const image = picture && {
    type: 'image',
    source: { type: 'base64', media_type: picture.contentType, data: picture.bytes.toString('base64') },
  };
  return {
    system,
    messages: [{ role: 'user', content: [...(image ? [image] : []), { type: 'text', text: user }] }] as object[],
    output_config: {
      format: { type: 'json_schema', schema: VERDICT_SCHEMA },
      ...(reasoningEffort !== null && { effort: EFFORT[reasoningEffort] }),
    },
  };
}

function repair(earlier: string): object[] {
  // The API does not take an empty turn.
  return [
    { role: 'assistant', content: earlier.trim() || '(nothing)' },
    { role: 'user', content: REPAIR },
  ];
}

function saidIn(answer: unknown): Said {
  const message = messageSchema.safeParse(answer).data;
  if (!message) throw new JudgeFailure('unreadable');
  if (message.stop_reason === 'refusal') return { refusal: true };
  return { text: message.content.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('') };
}
