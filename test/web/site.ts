/** A small stand-in for the gateway: the pages as it serves them, over a schema and a REST path of a few lines. */
import { execFileSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { useServer as serveSubscriptions } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { explorerPage, pages } from '../../gateway/pages.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ASSETS_DIR = `${ROOT}/dist/web`;
export const GOOD_KEY = 'dk_good';
export const BAD_KEY_MESSAGE = 'This API key is not valid or has been revoked.';

export interface Site {
  app: FastifyInstance;
  origin: string;
  /** What came in as JSON or as a REST call, oldest first. */
  seen: { method: string; url: string; authorization?: string; contentType?: string; query?: string }[];
  /** How many subscriptions are open. */
  counting: { open: number };
  close(): Promise<void>;
}

export function buildPages(): string {
  return execFileSync(process.execPath, ['scripts/build-web.js'], { cwd: ROOT, encoding: 'utf8' });
}

export async function openSite(): Promise<Site> {
  buildPages();
  const app = fastify();
  const seen: Site['seen'] = [];
  const note = ({ method, url, headers }: FastifyRequest, query?: string) =>
    seen.push({ method, url, authorization: headers.authorization, contentType: headers['content-type'], query });

  // As the gateway does for every answer: the pages must replace what is meant for data.
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'content-security-policy': "default-src 'none'", 'cache-control': 'no-store' });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'nothing here' }));
  await app.register(pages({ assetsDir: ASSETS_DIR }));

  app.get('/graphql', { exposeHeadRoute: true }, explorerPage);
  app.post<{ Body: GraphBody }>('/graphql', async (request) => {
    note(request, request.body.query);
    const { authorization } = request.headers;
    if (authorization && authorization !== `Bearer ${GOOD_KEY}`) return { errors: [{ message: BAD_KEY_MESSAGE }] };
    const { query, operationName, variables } = request.body;
    const me = authorization ? { id: 'u_1', handle: 'ana' } : null;
    return graphql({ schema, source: query, operationName, variableValues: variables, rootValue: { me } });
  });

  app.get('/v1/openapi.json', () => OPENAPI);
  app.get('/v1/photos/:id', (request, reply) => {
    note(request);
    return reply.send({ id: (request.params as { id: string }).id, title: 'Dusk' });
  });

  const sockets = new WebSocketServer({ server: app.server, path: '/graphql' });
  const protocol = serveSubscriptions(
    {
      schema,
      roots: { subscription: { jobsUpdated } },
      onConnect: ({ connectionParams }) => {
        const authorization = connectionParams?.['authorization'];
        seen.push({ method: 'WS', url: '/graphql', ...(typeof authorization === 'string' && { authorization }) });
        return authorization === undefined || authorization === `Bearer ${GOOD_KEY}`;
      },
    },
    sockets,
  );

  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, origin: `http://127.0.0.1:${port}`, seen, counting, close };

  async function close() {
    await protocol.dispose();
    await app.close();
  }
}

const counting = { open: 0 };

/** Three events, and no end until the client wants none any more. */
function jobsUpdated(): AsyncGenerator<object> {
  counting.open += 1;
  const states = ['QUEUED', 'PROCESSING', 'COMPLETED'];
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const state = states.shift();
      if (state === undefined) await new Promise(() => {});
      return { done: false, value: { jobsUpdated: { at: 'now', job: { id: 'job_1', state, assetUrl: null } } } };
    },
    async return() {
      counting.open -= 1;
      return { done: true, value: undefined };
    },
    async throw(error) {
      throw error;
    },
    async [Symbol.asyncDispose]() {},
  };
}

interface GraphBody {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

const schema = buildSchema(`
  type Query { "The account that the key belongs to." me: Account }
  type Account { id: ID! handle: String }
  type Subscription { jobsUpdated: JobEvent }
  type JobEvent { at: String job: Job }
  type Job { id: ID! state: String assetUrl: String }
`);

const photo = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string' }, title: { type: ['string', 'null'], description: 'What it is called.' } },
};

const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Darkroom', version: '1.0.0', description: 'Images, kept well.' },
  // Not where the page is: what is tried must still go to the page's own origin.
  servers: [{ url: 'https://images.example.com' }],
  tags: [{ name: 'Photos' }],
  paths: {
    '/v1/photos/{id}': {
      get: {
        tags: ['Photos'],
        operationId: 'readPhoto',
        summary: 'Read a photo',
        security: [{ apiKey: [] }],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', examples: ['p_7'] } }],
        responses: { 200: { description: 'The photo', content: { 'application/json': { schema: photo } } } },
      },
      delete: { tags: ['Photos'], summary: 'Delete a photo', responses: { 204: { description: 'Gone' } } },
    },
  },
  components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
};
