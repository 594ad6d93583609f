import type { Shortcut } from '../../platform/http.js';
import { knownBy } from './conditions.js';
import { SERVING_ROUTE } from './serve.js';
import { headersOf, headOf, type Warm } from './warm.js';

export function servingShortcut(warm: Warm): Shortcut {
  return {
    route: SERVING_ROUTE,
    answer(request, response, requestId) {
      if (request.method !== 'GET' || request.headers.range !== undefined) return false;
      const found = warm(request.url ?? '', knownBy(request.headers));
      if (!found) return false;
      response.writeHead(found.status, headersOf(found, requestId));
      response.end(found.body);
      return true;
    },
    answerEarly({ target, ifNoneMatch, ifModifiedSince }, requestId) {
      const found = warm(target, { tags: ifNoneMatch, since: ifModifiedSince });
      return found && { status: found.status, head: headOf(found, requestId), body: found.body };
    },
  };
}
