/** Requests to adapters, and the answers that all of them must give when their provider misbehaves. */
import { pino } from 'pino';
import { Circuits } from '../../platform/outbound/circuit.js';
import { Room } from '../../platform/rooms.js';
import type { CatalogueModel, ProviderName } from '../../subgraphs/registry/model/entry.js';
import { Models } from '../../subgraphs/registry/model/models.js';
import { readParams } from '../../subgraphs/registry/model/parameters.js';
import type { ProviderFailure } from '../../subgraphs/registry/provider/failure.js';
import type { ImageRequest, Output, Provider } from '../../subgraphs/registry/provider/provider.js';
import { Providers } from '../../subgraphs/registry/provider/providers.js';

export const EVERYTHING: ReadonlySet<ProviderName> = new Set([
  'openai',
  'google',
  'cloudflare',
  'fal',
  'openai-compatible',
  'local',
]);

export const models = new Models({
  configured: EVERYTHING,
  compatible: { models: new Map([['flux-dev', 20_000]]), otherMicros: null },
  now: () => new Date('2026-10-01T00:00:00Z'),
});

export const PROMPT = 'a lighthouse in fog, unmistakable-marker-7f3a';

export interface Wish extends Partial<Omit<ImageRequest, 'model' | 'params' | 'size'>> {
  params?: Record<string, unknown>;
}

export function requestFor(model: string | CatalogueModel, { params = {}, ...wish }: Wish = {}): ImageRequest {
  const found = typeof model === 'string' ? models.require(model) : model;
  return {
    prompt: PROMPT,
    count: 1,
    seed: null,
    references: [],
    mask: null,
    safety: true,
    room: new Room(),
    ...wish,
    model: found,
    ...readParams(found, params),
  };
}

export interface Lines {
  text(): string;
}

/** One provider behind what all providers stand behind. */
export function behind(provider: Provider, timeoutMs = 10_000): Providers & Lines {
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  const log = pino({ level: 'trace' }, { write });
  const providers = new Providers({ providers: [provider], circuits: new Circuits(null), timeoutMs, log });
  return Object.assign(providers, { text: () => text });
}

export async function failureOf(outputs: Promise<Output[]>): Promise<ProviderFailure> {
  const settled = await outputs.then(
    (all) => all.find((output) => output.kind === 'failure'),
    (failure: ProviderFailure) => ({ kind: 'failure' as const, failure }),
  );
  if (settled?.kind !== 'failure') throw new Error('there was no failure');
  return settled.failure;
}

export function bytesOf(output: Output | undefined): Extract<Output, { kind: 'bytes' }> {
  if (output?.kind !== 'bytes') throw new Error(`expected bytes, got ${JSON.stringify(output)}`);
  return output;
}
