import type { Shortcut } from '../../platform/http.js';
import { tokenOf } from '../../subgraphs/images/address.js';
import { knownBy } from './conditions.js';
import { SERVING_ROUTE } from './serve.js';
import { type ComingAnswer, headersOf, headOf, type WarmAnswer, type WarmImages } from './warm.js';

export function servingShortcut(warm: WarmImages): Shortcut {
  return {
    route: SERVING_ROUTE,
    answer(request, response, requestId) {
      if (request.method !== 'GET' || request.headers.range !== undefined) return false;
      const token = tokenOf(request.url ?? '');
      const found = token === null ? null : warm.answer(token, knownBy(request.headers));
      if (!found) return false;
      response.writeHead(found.status, headersOf(found, requestId));
      response.end(found.body);
      return true;
    },
    answerEarly({ target, ifNoneMatch: tags, ifModifiedSince: since }, requestId) {
      const token = tokenOf(target);
      if (token === null) return null;
      const known = { tags, since };
      const early = (found: WarmAnswer | ComingAnswer | null) =>
        found && { status: found.status, head: headOf(found, requestId), body: found.body };
      return early(warm.answer(token, known)) ?? warm.fetch(token, known, requestId).then(early);
    },
  };
}
