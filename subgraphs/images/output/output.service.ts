/** Hosts what runs made. A run is never held up by it: what cannot be hosted is null, and the log says why. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { FetchError } from '../../../platform/fetch/error.js';
import type { SafeFetcher } from '../../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../../platform/fetch/rules.js';
import { servingUrl } from '../address.js';
import type { HostedOutput, OutputToStore, StoredOutput } from '../client.js';
import type { Ingest, Ingester } from '../image/image.ingest.js';
import type { ImageDocument, LiveImage } from '../image/image.model.js';
import { isLive } from '../image/image.service.js';

export interface OutputServiceDeps {
  images: Collection<ImageDocument>;
  ingester: Ingester;
  fetcher: SafeFetcher;
  /** Where outputs may be fetched from. */
  rules: FetchRules;
  publicUrl: string;
  anonymousTtlHours: number;
  log: Logger;
  now: () => Date;
}

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 250;

export class OutputService {
  readonly #deps: OutputServiceDeps;

  constructor(deps: OutputServiceDeps) {
    this.#deps = deps;
  }

  async store(output: OutputToStore, requestId: string): Promise<StoredOutput | null> {
    const origin = `${originsOf(output.runId)}${output.index}`;
    for (let attempt = 1; ; attempt++) {
      try {
        // A picture that has to be fetched is asked for first, so that a repeated call does not fetch it again. Of bytes
        // the origin alone makes sure that they are hosted once.
        const known = 'url' in output.source ? await this.#hosted(origin) : null;
        return this.#view(known ?? (await this.#host(output, origin)));
      } catch (error) {
        if (!isTransient(error) || attempt === ATTEMPTS) {
          const { runId, index } = output;
          this.#deps.log.warn({ err: error, runId, index, requestId }, 'an output cannot be hosted');
          return null;
        }
        await pause(RETRY_AFTER_MS * 2 ** (attempt - 1));
      }
    }
  }

  async ofRun(runId: string): Promise<HostedOutput[]> {
    const prefix = originsOf(runId);
    const found = await this.#deps.images
      .find({ origin: { $gte: prefix, $lt: `${prefix}:` } })
      .sort({ origin: 1 })
      .toArray();
    return found
      .filter((image) => isLive(image, this.#deps.now()))
      .map((image) => ({ ...this.#view(image), index: Number(image.origin?.slice(prefix.length)) }))
      .sort((a, b) => a.index - b.index);
  }

  async #hosted(origin: string): Promise<LiveImage | null> {
    const found = await this.#deps.images.findOne({ origin });
    return found && isLive(found, this.#deps.now()) ? found : null;
  }

  async #host({ ownerId, source }: OutputToStore, origin: string): Promise<LiveImage> {
    const { ingester, fetcher, rules } = this.#deps;
    const isHere = 'bytes' in source;
    const bytes = isHere ? once(source.bytes) : (await fetcher.open(source.url, rules)).chunks;
    const settings = this.#settingsFor(ownerId);
    return ingester.ingest({ ownerId, source: 'generated', bytes, isHere, origin, settings });
  }

  #settingsFor(ownerId: string | null): Ingest['settings'] {
    const { anonymousTtlHours, now } = this.#deps;
    return async () =>
      ownerId === null
        ? { visibility: 'public', expiresAt: new Date(now().getTime() + anonymousTtlHours * 3_600_000) }
        : { visibility: 'private', expiresAt: null };
  }

  #view(image: LiveImage): StoredOutput {
    const { _id: id, visibility, expiresAt, contentType, sizeBytes, width, height } = image;
    const url = servingUrl(this.#deps.publicUrl, image);
    return { id, url, visibility, expiresAt, contentType, sizeBytes, width, height };
  }
}

/** What the origins of a run's outputs begin with. Indices are digits, which sort before the colon. */
function originsOf(runId: string): string {
  return `run:${runId}/`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A picture that is refused stays refused; a bucket or a host that fails may recover. */
function isTransient(error: unknown): boolean {
  if (error instanceof FetchError) return error.transient;
  return !(error instanceof Problem) || error.slug === 'unavailable';
}
