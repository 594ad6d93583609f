/** Identifiers that hold a slash, as clients put them into paths: `@handle/slug` unencoded is two segments, but one name. */

const TEMPLATE = /^\/v1\/templates\/(?:@|%40)([A-Za-z0-9-]{1,64})\/([^/?#]+)/;

export function inOneSegment(url: string): string {
  return url.replace(TEMPLATE, '/v1/templates/%40$1%2F$2');
}
