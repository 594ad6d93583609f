import { FetchError } from './error.js';

/** What may be fetched, and how much of it for how long. */
export interface FetchRules {
  /** Host names and `*.` wildcards; null: any host whose addresses are public. */
  hosts: readonly string[] | null;
  schemes: readonly ('http:' | 'https:')[];
  /** What is not fetched although it is public, also not after a redirect. */
  barred?(url: URL): boolean;
  maxBytes: number;
  /** For everything, redirects included. */
  totalMs: number;
  /** How long the other side may be silent. */
  idleMs: number;
}

/** Mail, login and directory services sit below 1024, and none of them should hear from us. */
const WELL_KNOWN_PORTS = 1024;

/** A URL whose words alone do not forbid it. Where its host leads is for the resolver to say. */
export function permittedUrl(text: string, { schemes, hosts, barred }: FetchRules, base?: URL): URL {
  let url: URL;
  try {
    // The parser reads a host as browsers do: decimal, octal, hexadecimal and short IPv4 come out as dotted quads.
    url = new URL(text, base);
  } catch (cause) {
    throw new FetchError('url', 'not a URL', { cause });
  }
  if (!(schemes as readonly string[]).includes(url.protocol)) throw new FetchError('url', `scheme ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw new FetchError('url', 'credentials in the URL');
  if (url.port !== '' && Number(url.port) < WELL_KNOWN_PORTS && url.port !== '80' && url.port !== '443') {
    throw new FetchError('url', `port ${url.port}`);
  }
  if (barred?.(url)) throw new FetchError('url', `${url.host} is not fetched`);
  if (hosts && !hosts.some((pattern) => matches(bareHost(url), pattern))) {
    throw new FetchError('host', `host ${url.hostname} is not on the list`);
  }
  return url;
}

/** The host as resolvers take it: no brackets, no dot at the end. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

function matches(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  // A wildcard stands for one label or more, so that a list entry never covers the bare domain by accident.
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) && host.length >= wanted.length : host === wanted;
}
