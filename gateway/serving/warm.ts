/**
 * Answers for public images that are in memory, ahead of the framework, whose routing and hooks cost several times what
 * is left to do here. Everything else is passed on: this knows nothing of credentials, ranges or errors.
 */
import type { FirstAnswer } from '../../platform/http.js';
import { tokenOf } from '../../subgraphs/images/address.js';
import type { Bytes } from './bytes.js';
import { isUnchanged } from './conditions.js';
import { publicCacheControl } from './picture.js';
import type { Records } from './records.js';

export interface WarmDeps {
  records: Records;
  bytes: Bytes;
  now: () => Date;
}

export function warmImages({ records, bytes, now }: WarmDeps): FirstAnswer {
  return (request, response, headers) => {
    if (request.method !== 'GET' || request.headers.range !== undefined) return false;
    const token = tokenOf(request.url ?? '');
    const known = token === null ? undefined : records.fresh(token);
    const picture = known?.picture;
    if (!known || !picture) return false;
    const time = now().getTime();
    if (picture.expiresAt <= time) return false;
    const cacheControl = publicCacheControl(picture.expiresAt, time);
    if (isUnchanged(request.headers, picture)) {
      response.writeHead(304, [...picture.unchanged, 'cache-control', cacheControl, ...headers]);
      response.end();
      return true;
    }
    const body = bytes.kept(known.image.id);
    if (!body) return false;
    response.writeHead(200, [...picture.whole, 'cache-control', cacheControl, ...headers]);
    response.end(body);
    return true;
  };
}
