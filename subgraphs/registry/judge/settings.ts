/** Which judges, and which encoder, the settings turn on. */
import type { Config } from '../../../platform/config.js';
import { CachedEncoder } from '../embedding/cached-encoder.js';
import type { Encoder } from '../embedding/encoder.js';
import { LocalEncoder } from '../embedding/local-encoder.js';
import { RemoteEncoder } from '../embedding/remote-encoder.js';
import { AnthropicJudge } from './anthropic.js';
import type { Judge } from './judge.js';
import { LocalJudge } from './local.js';
import { OpenAiJudge } from './openai.js';

const OPENAI_MODEL = 'gpt-5-mini';
const ANTHROPIC_MODEL = 'claude-haiku-4-5';

export function configuredEncoder({ EMBEDDINGS_URL, EMBEDDINGS_API_KEY, EMBEDDINGS_MODEL }: Config): Encoder {
  if (EMBEDDINGS_URL === undefined || EMBEDDINGS_MODEL === undefined) return new CachedEncoder(new LocalEncoder());
  return new CachedEncoder(
    new RemoteEncoder({ baseUrl: EMBEDDINGS_URL, apiKey: EMBEDDINGS_API_KEY, model: EMBEDDINGS_MODEL }),
  );
}

/** The built-in judge stands alone or not at all: it must not step in for a better one without being asked. */
export function configuredJudges(config: Config, encoder: Encoder): Judge[] {
  const { JUDGE_URL, JUDGE_API_KEY, JUDGE_MODEL, ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL } = config;
  const ofAnthropic = JUDGE_MODEL?.startsWith('claude') ? JUDGE_MODEL : undefined;
  const judges: Judge[] = [];
  if (JUDGE_URL !== undefined) {
    judges.push(new OpenAiJudge({ baseUrl: JUDGE_URL, apiKey: JUDGE_API_KEY, model: JUDGE_MODEL ?? OPENAI_MODEL }));
  }
  if (ANTHROPIC_API_KEY !== undefined) {
    const baseUrl = ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com/v1';
    judges.push(new AnthropicJudge({ baseUrl, apiKey: ANTHROPIC_API_KEY, model: ofAnthropic ?? ANTHROPIC_MODEL }));
  }
  return judges.length > 0 ? judges : [new LocalJudge(encoder)];
}
