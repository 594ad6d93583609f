/**
 * Fetches what others name, without becoming their way into our network. A name is resolved once, every address that it
 * has must be public, and the connection goes to exactly those addresses: a name that changes its answer in between
 * changes nothing. Redirects are followed by hand, through the same checks.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Client, errors } from 'undici';
import { heeding } from '../deadline.js';
import { FetchError } from './error.js';
import { bareHost, type FetchRules, permittedUrl } from './rules.js';

export interface ResolvedAddress {
  address: string;
  family: number;
}

export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface SafeFetcherOptions {
  /** Whether an address may be connected to: isPublicAddress, but for tests. */
  allows(address: string): boolean;
  resolve?: Resolve;
}

export interface FetchedBody {
  /** After redirects. */
  url: URL;
  /** As announced, undefined when it was not. */
  length: number | undefined;
  /** Ends with a FetchError when it grows past the limit or stalls. What is never read ends with the time limit. */
  chunks: AsyncGenerator<Buffer, void, undefined>;
}

const MAX_REDIRECTS = 3;
const CONNECT_MS = 5_000;
const MAX_HEADER_BYTES = 16_384;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

// Nothing in here is ours: no key, no cookie, no address of a caller.
const HEADERS = {
  accept: 'image/png, image/jpeg, image/webp, image/gif;q=0.9, */*;q=0.1',
  // What is not compressed cannot unfold.
  'accept-encoding': 'identity',
  'user-agent': 'Darkroom',
};

type ClientResponse = Awaited<ReturnType<Client['request']>>;

export class SafeFetcher {
  readonly #allows: SafeFetcherOptions['allows'];
  readonly #resolve: Resolve;

  constructor({ allows, resolve = resolveWithSystem }: SafeFetcherOptions) {
    this.#allows = allows;
    this.#resolve = resolve;
  }

  /** The whole body in memory. */
  async read(url: string, rules: FetchRules, signal?: AbortSignal): Promise<Buffer> {
    const { chunks } = await this.open(url, rules, signal);
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return Buffer.concat(parts);
  }

  async open(text: string, rules: FetchRules, signal?: AbortSignal): Promise<FetchedBody> {
    const timeout = AbortSignal.timeout(rules.totalMs);
    const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let url = permittedUrl(text, rules);
    for (let redirects = 0; ; redirects++) {
      const hop = await this.#request(url, rules, stop);
      const target = redirectTarget(hop.response);
      if (target === null) return body(url, hop, rules, stop);
      hop.end();
      if (redirects === MAX_REDIRECTS) throw new FetchError('redirects', `more than ${MAX_REDIRECTS} redirects`);
      url = permittedUrl(target, rules, url);
    }
  }

  async #request(url: URL, { idleMs }: FetchRules, signal: AbortSignal): Promise<Hop> {
    const addresses = await this.#addressesOf(url, signal);
    const client = new Client(url.origin, {
      connect: { lookup: pinnedTo(addresses), timeout: CONNECT_MS },
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    const end = () => void client.destroy().catch(() => {});
    try {
      const path = url.pathname + url.search;
      return { response: await client.request({ path, method: 'GET', headers: HEADERS, signal }), end };
    } catch (error) {
      end();
      throw asFetchError(error, signal);
    }
  }

  async #addressesOf(url: URL, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
    const host = bareHost(url);
    const family = isIP(host);
    const addresses = family === 0 ? await this.#lookUp(host, signal) : [{ address: host, family }];
    const barred = addresses.find(({ address }) => !this.#allows(address));
    if (barred) throw new FetchError('address', `${host} leads to ${barred.address}`);
    return addresses;
  }

  async #lookUp(host: string, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
    try {
      const addresses = await heeding(signal, this.#resolve(host));
      if (addresses.length > 0) return addresses;
    } catch (error) {
      throw asFetchError(error, signal);
    }
    throw new FetchError('network', `${host} has no address`);
  }
}

interface Hop {
  response: ClientResponse;
  end(): void;
}

function resolveWithSystem(host: string): Promise<readonly ResolvedAddress[]> {
  return systemLookup(host, { all: true, verbatim: true });
}

/** Node asks for one address or for all, depending on whether it may race the families. */
function pinnedTo(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function redirectTarget({ statusCode, headers }: ClientResponse): string | null {
  return REDIRECTS.has(statusCode) && typeof headers.location === 'string' ? headers.location : null;
}

function body(url: URL, { response, end }: Hop, rules: FetchRules, signal: AbortSignal): FetchedBody {
  const { statusCode, headers } = response;
  const refuse = (error: FetchError): never => {
    end();
    throw error;
  };
  if (statusCode !== 200) {
    refuse(new FetchError('status', `status ${statusCode}`, { transient: TRANSIENT_STATUSES.has(statusCode) }));
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') refuse(new FetchError('encoding', `encoding ${encoding}`));
  const length = typeof headers['content-length'] === 'string' ? Number(headers['content-length']) : undefined;
  if (length !== undefined && length > rules.maxBytes) refuse(new FetchError('too_large', `${length} bytes announced`));
  return { url, length, chunks: limited({ response, end }, rules.maxBytes, signal) };
}

async function* limited({ response, end }: Hop, maxBytes: number, signal: AbortSignal) {
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new FetchError('too_large', `more than ${maxBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw asFetchError(error, signal);
  } finally {
    end();
  }
}

function asFetchError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof FetchError) return error;
  if (signal.aborted) {
    // The caller's own abort is the caller's to interpret.
    const ours = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
    return ours ? new FetchError('timeout', 'took too long', { cause: error }) : signal.reason;
  }
  const silent = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  return new FetchError(silent ? 'timeout' : 'network', silent ? 'fell silent' : 'the request failed', {
    cause: error,
  });
}
