/** How the URLs of hosted images are made, and read back. */

const PREFIX = '/v1/i/';
const SERVED = /^\/v1\/i\/([0-9A-Za-z]{22,64})(?:\.[0-9A-Za-z]{1,10})?$/;

export function servingUrl(publicUrl: string, { token, extension }: { token: string; extension: string }): string {
  return `${publicUrl}${PREFIX}${token}.${extension}`;
}

/** The token in a path of ours; the extension is decoration. Null for any other path. */
export function tokenOf(path: string): string | null {
  return SERVED.exec(path)?.[1] ?? null;
}

/**
 * The path of a URL under PUBLIC_URL, null for a URL that leads elsewhere. Scheme and credentials play no part: such a
 * URL names this installation however it is written, and must be answered here instead of being fetched.
 */
export function ownPath(url: URL, publicUrl: string): string | null {
  const own = new URL(publicUrl);
  if (bare(url) !== bare(own) || !samePort(url, own)) return null;
  const base = own.pathname.replace(/\/+$/, '');
  return url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : null;
}

function bare({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

/** A server on one of the web's two own ports is usually on both. */
function samePort(a: URL, b: URL): boolean {
  return a.port === b.port || (isWebPort(a.port) && isWebPort(b.port));
}

function isWebPort(port: string): boolean {
  return port === '' || port === '80' || port === '443';
}
