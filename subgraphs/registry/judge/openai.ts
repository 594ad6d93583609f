/** Any server that speaks OpenAI's chat completions, held to the verdict's form by response_format. */
import { z } from 'zod';
import { Outbound } from '../../../platform/outbound/http.js';
import { JudgeFailure } from './failure.js';
import type { Judge, Judgement, Question } from './judge.js';
import { promptOf, REPAIR, VERDICT_SCHEMA } from './prompt.js';
import { askTwice, postJson, type Said } from './service.js';

export interface OpenAiJudgeSettings {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
}

// Reasoning counts towards it.
const MAX_TOKENS = 8_192;

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});

export class OpenAiJudge implements Judge {
  readonly name = 'openai-compatible';
  readonly local = false;
  readonly #service: Outbound;
  readonly #model: string;

  constructor({ baseUrl, apiKey, model }: OpenAiJudgeSettings) {
    this.#service = new Outbound({
      baseUrl,
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    });
    this.#model = model;
  }

  canJudge(): boolean {
    return true;
  }

  async judge(question: Question, signal: AbortSignal): Promise<Judgement> {
    const model = question.model ?? this.#model;
    const request = { model, ...requestOf(question) };
    const verdict = await askTwice(async (earlier) => {
      const messages = earlier === null ? request.messages : [...request.messages, ...repair(earlier)];
      return saidIn(await postJson(this.#service, '/chat/completions', { ...request, messages }, signal));
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
  const content = picture
    ? [
        { type: 'text', text: user },
        {
          type: 'image_url',
          image_url: { url: `data:${picture.contentType};base64,${picture.bytes.toString('base64')}` },
        },
      ]
    : user;
  return {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content },
    ] as object[],
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'verdict', strict: true, schema: VERDICT_SCHEMA },
    },
    max_completion_tokens: MAX_TOKENS,
    ...(reasoningEffort !== null && { reasoning_effort: reasoningEffort }),
  };
}

function repair(earlier: string): object[] {
  return [
    { role: 'assistant', content: earlier },
    { role: 'user', content: REPAIR },
  ];
}

function saidIn(answer: unknown): Said {
  const [choice] = completionSchema.safeParse(answer).data?.choices ?? [];
  if (!choice) throw new JudgeFailure('unreadable');
  if (choice.message.refusal || choice.finish_reason === 'content_filter') return { refusal: true };
  return { text: choice.message.content ?? '' };
}
