/** Which providers the settings turn on. */
import type { Config } from '../../../platform/config.js';
import type { CompatibleServer } from '../model/models.js';
import { Cloudflare } from './cloudflare.js';
import { Compatible } from './compatible.js';
import { Fal } from './fal.js';
import { Google } from './google.js';
import { Local } from './local.js';
import { OpenAi } from './openai.js';
import type { Provider } from './provider.js';

const MICROS = 1_000_000;

export function configuredProviders(config: Config): Provider[] {
  const { OPENAI_API_KEY, GEMINI_API_KEY, CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN, FAL_KEY } = config;
  const remote: Provider[] = [];
  if (OPENAI_API_KEY) {
    remote.push(new OpenAi({ apiKey: OPENAI_API_KEY, baseUrl: config.OPENAI_BASE_URL ?? 'https://api.openai.com/v1' }));
  }
  if (GEMINI_API_KEY) {
    const baseUrl = config.GEMINI_BASE_URL ?? 'https://generativelanguage.googleapis.com';
    remote.push(new Google({ apiKey: GEMINI_API_KEY, baseUrl }));
  }
  if (CLOUDFLARE_ACCOUNT_ID && CLOUDFLARE_API_TOKEN) {
    const baseUrl = config.CLOUDFLARE_BASE_URL ?? 'https://api.cloudflare.com/client/v4';
    remote.push(new Cloudflare({ accountId: CLOUDFLARE_ACCOUNT_ID, apiToken: CLOUDFLARE_API_TOKEN, baseUrl }));
  }
  if (FAL_KEY) remote.push(new Fal({ apiKey: FAL_KEY, baseUrl: config.FAL_BASE_URL ?? 'https://fal.run' }));
  const keyless = remote.length === 0;
  if (config.OPENAI_IMAGE_BASE_URL) {
    remote.push(new Compatible({ baseUrl: config.OPENAI_IMAGE_BASE_URL, apiKey: config.OPENAI_IMAGE_API_KEY }));
  }
  const local = config.LOCAL_PROVIDER === 'on' || (config.LOCAL_PROVIDER === 'auto' && keyless);
  return local ? [...remote, new Local()] : remote;
}

export function compatibleServer(config: Config): CompatibleServer | null {
  if (!config.OPENAI_IMAGE_BASE_URL) return null;
  const named = [...config.OPENAI_IMAGE_MODELS].map(([name, usd]) => [name, toMicros(usd)] as const);
  return { models: new Map(named), otherMicros: named.length === 0 ? toMicros(config.OPENAI_IMAGE_PRICE_USD) : null };
}

/** Hosts that outputs may be fetched from: those of the list, and where the operator has a provider asked. */
export function outputHosts(config: Config): readonly string[] {
  const { MEDIA_FETCH_ALLOWLIST, FAL_BASE_URL, OPENAI_IMAGE_BASE_URL } = config;
  const asked = [FAL_BASE_URL, OPENAI_IMAGE_BASE_URL].flatMap((url) => (url ? [new URL(url).hostname] : []));
  return [...MEDIA_FETCH_ALLOWLIST, ...asked];
}

function toMicros(usd: number): number {
  return Math.round(usd * MICROS);
}
