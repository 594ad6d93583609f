/** Where an answer of the authorization endpoint may be sent. */
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);
/** Schemes that a browser runs or reads itself instead of handing them to an application. */
const NOT_FOR_APPLICATIONS =
  /^(?:javascript|data|vbscript|file|filesystem|blob|about|view-source|ws|wss|ftp|mailto|tel|chrome|resource)$/;
const MAX_LENGTH = 2_000;

function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && LOOPBACK.has(hostname);
}

/** Null: it may be registered. Otherwise what is wrong with it. */
export function faultOf(uri: string): string | null {
  // A browser leaves such characters out, or reads them as others.
  if (uri.length > MAX_LENGTH || /[\s\\]/.test(uri) || !URL.canParse(uri)) return 'is not a URI';
  const url = new URL(uri);
  if (uri.includes('#')) return 'must not have a fragment';
  if (url.username !== '' || url.password !== '') return 'must not hold credentials';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:') return isLoopback(url) ? null : 'must be https, or http on this machine';
  return NOT_FOR_APPLICATIONS.test(url.protocol.slice(0, -1)) ? 'has a scheme that is no application’s' : null;
}

/** Exactly; but an application cannot know beforehand which port it will be given on its own machine (RFC 8252 §7.3). */
export function allows(registered: string, asked: string): boolean {
  if (registered === asked) return true;
  if (faultOf(asked) !== null) return false;
  const [one, other] = [new URL(registered), new URL(asked)];
  if (!isLoopback(one) || !isLoopback(other)) return false;
  one.port = '';
  other.port = '';
  return one.href === other.href;
}
