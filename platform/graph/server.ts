/** A subgraph on a port of its own: internal routes, closed to anybody without the installation's signature. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem } from '../errors.js';
import { SCOPE_HEADER, ScopeOpener } from '../scope.js';
import type { Secrets } from '../secrets.js';
import type { Authorize, Subgraph } from '../subgraph.js';
import type { SubgraphExecutor } from './execute.js';
import { isMultipart, MULTIPART, type MultipartLimits, readMultipart } from './multipart.js';
import { mountNotices } from './notices.js';
import { NOTICES_PATH, PULL_PATH } from './transport.js';

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

const pullSchema = requestSchema.extend({ after: z.string().nullable() });

export interface SubgraphRouteDeps {
  subgraph: Subgraph;
  executor: SubgraphExecutor;
  secrets: Secrets;
  multipart: MultipartLimits;
}

export async function mountSubgraph(app: FastifyInstance, deps: SubgraphRouteDeps): Promise<void> {
  const { subgraph, executor, secrets, multipart } = deps;
  const authorize = authorizer(subgraph.name, secrets);
  await app.register(async (graph) => {
    graph.addContentTypeParser(MULTIPART, (_request, payload, done) => done(null, payload));
    graph.post('/graphql', async (request, reply) => {
      const scope = authorize(request);
      const given = isMultipart(request) ? await readMultipart(request, reply, scope, multipart) : request.body;
      const body = requestSchema.safeParse(given);
      if (!body.success) throw new Problem('validation_error', 'The body must be a GraphQL request.');
      const { query, variables, operationName } = body.data;
      return executor.execute(
        { query, variables: variables ?? undefined, operationName: operationName ?? undefined },
        subgraph.context(scope),
        scope.requestId,
      );
    });
  });
  app.post(PULL_PATH, async (request) => {
    const scope = authorize(request);
    const body = pullSchema.safeParse(request.body);
    if (!body.success) throw new Problem('validation_error', 'The body must ask for the changes after a cursor.');
    const { query, variables, operationName, after } = body.data;
    return executor.pull(
      { query, variables: variables ?? undefined, operationName: operationName ?? undefined, after },
      () => subgraph.context(scope),
      scope.requestId,
    );
  });
  if (subgraph.follow) mountNotices(app, { path: NOTICES_PATH, follow: subgraph.follow, authorize });
  subgraph.mount?.(app, authorize);
}

function authorizer(name: string, secrets: Secrets): Authorize {
  const opener = new ScopeOpener(secrets, name);
  return (request) => {
    const scope = opener.open(request.headers[SCOPE_HEADER], request.id);
    if (scope) return scope;
    throw new Problem('auth_required', 'This port serves the gateways of this installation only.', {
      hint: 'Call the gateway; processes of one installation must share SECRET_KEY.',
    });
  };
}
