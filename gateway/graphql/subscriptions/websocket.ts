/** GraphQL over WebSocket, in the protocol graphql-transport-ws, at the path of the graph. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ExecutionArgs } from 'graphql';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Context, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { Problem } from '../../../platform/errors.js';
import { problemToGraphQL } from '../../../platform/graph/problems.js';
import { asProblem } from '../../../platform/http.js';
import { newId } from '../../../platform/ids.js';
import { clientAddress, networkOf } from '../../../platform/network.js';
import type { Admission } from '../../admission.js';
import { credentialOf } from '../../identity.js';
import type { Operations, PreparedOperation } from '../operations.js';
import { type GraphParams, readPayload } from '../params.js';
import { PersistedQueryNotFound } from '../persisted.js';
import { type Conversations, closeCode } from './conversation.js';
import type { Session, Sessions } from './sessions.js';
import type { Stalls } from './stalls.js';
import { refuseUpgrade, withoutUpgrade } from './upgrade.js';

export interface WebSocketDeps {
  operations: Operations;
  conversations: Conversations;
  sessions: Sessions;
  stalls: Stalls;
  admission: Admission;
  /** Web pages that may connect, or *. */
  origins: readonly string[];
  maxMessageBytes: number;
  /** Operations that one connection may have under way. */
  perConnection: number;
  trustProxy: number;
  log: Logger;
}

const PATH = '/graphql';
/** Time to say who one is. */
const INIT_MS = 5_000;
const PING_MS = 15_000;
/** What may wait for one client. Beyond it the next message drops the client. */
const MAX_WAITING = 1024 * 1024;
const LAST_WORD_MS = 1_000;
const GOING_AWAY = 1001;

/** One client's connection. */
interface Peer {
  readonly socket: WebSocket;
  readonly network: string;
  /** From the header of the request, which browsers cannot set. */
  readonly credential: string | null;
  session: Session | null;
  heard: boolean;
}

interface Asked extends ExecutionArgs {
  params: GraphParams;
  prepared: PreparedOperation;
  session: Session;
}

export function mountWebSocket(app: FastifyInstance, deps: WebSocketDeps): void {
  const { operations, conversations, sessions, stalls, admission, log } = deps;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: deps.maxMessageBytes,
    perMessageDeflate: false,
    autoPong: false,
    clientTracking: false,
    handleProtocols: (offered) => handleProtocols(offered),
  });
  const peers = new Set<Peer>();
  const protocol = makeServer<Record<string, unknown>, Peer>({
    connectionInitWaitTimeout: INIT_MS,
    schema: operations.schema,
    onConnect: (context) => connect(context),
    onSubscribe: (context, _id, payload) => ask(context, payload),
    subscribe: (args) => answer(args as Asked),
    execute: (args) => answer(args as Asked),
    // Results and errors are rendered already.
    onNext: (_context, _id, _payload, _args, result) => result as never,
    onError: (_context, _id, _payload, errors) => errors.map(render),
  });

  async function connect({ extra: peer, connectionParams = {} }: Context<Record<string, unknown>, Peer>) {
    const requestId = newId();
    const credential = credentialIn(connectionParams) ?? peer.credential;
    const scope = await admission.admitCredential(credential, requestId, peer.network);
    if (peer.socket.readyState !== WebSocket.OPEN) return false;
    peer.session = sessions.open({ credential, scope, end: (problem) => close(peer, problem) });
    return true;
  }

  async function ask(
    { extra: { session }, subscriptions }: Context<Record<string, unknown>, Peer>,
    given: SubscribePayload,
  ) {
    try {
      // The protocol has it that nobody asks before they are connected.
      if (!session) throw new Problem('auth_required');
      if (Object.keys(subscriptions).length > deps.perConnection) {
        const limit = deps.perConnection;
        throw new Problem('rate_limited', `One connection may have at most ${limit} operations under way.`);
      }
      const scope = await session.scope();
      await admission.countOperation(scope);
      const params = readPayload(given);
      const prepared = conversations.prepare(params, scope);
      const { document } = prepared;
      const asked: Asked = { schema: operations.schema, document, contextValue: null, params, prepared, session };
      return params.operationName === undefined ? asked : { ...asked, operationName: params.operationName };
    } catch (error) {
      return [asGraphQLError(error)];
    }
  }

  async function answer({ prepared, params, session }: Asked) {
    try {
      return (await conversations.run(prepared, params.variables, session, 'websocket')) as never;
    } catch (error) {
      return { errors: [render(asGraphQLError(error))] } as never;
    }
  }

  /** A promise's rejection ends an operation, and is shown. */
  function asGraphQLError(error: unknown): GraphQLError {
    return error instanceof PersistedQueryNotFound
      ? error
      : new GraphQLError('failed', { originalError: error instanceof Error ? error : new Error(String(error)) });
  }

  function render(error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError {
    if (!(error instanceof GraphQLError) || !error.originalError) return error;
    const problem = asProblem(error.originalError);
    if (problem.slug === 'internal_error') log.error({ err: error.originalError }, 'subscription failed');
    return problemToGraphQL(problem);
  }

  function close({ socket }: Peer, problem: Problem): void {
    socket.close(closeCode(problem), problem.message.slice(0, 120));
    // Who does not answer the close is not waited for.
    setTimeout(() => socket.terminate(), LAST_WORD_MS).unref();
  }

  function open(socket: WebSocket, connection: Socket, network: string, credential: string | null): void {
    const peer: Peer = { socket, network, credential, session: null, heard: true };
    const drop = (reason: 'stalled' | 'silent' | 'overflow') => {
      conversations.dropped('websocket', reason);
      socket.terminate();
    };
    const send = (data: string) => {
      if (socket.readyState !== WebSocket.OPEN) return Promise.resolve();
      if (socket.bufferedAmount > MAX_WAITING) {
        drop('overflow');
        return Promise.resolve();
      }
      // Settled when the system has taken it: who reads slowly is sent the next event later.
      return new Promise<void>((resolve, reject) => {
        socket.send(data, (error) => (error ? reject(error) : resolve()));
      });
    };
    const receive = (handle: (message: string) => Promise<void>) => {
      socket.on('message', (data) => {
        peer.heard = true;
        handle(String(data)).catch((error: unknown) => {
          if (socket.readyState !== WebSocket.OPEN) return;
          const problem = asProblem(error);
          if (problem.slug === 'internal_error') log.error({ err: error }, 'websocket failed');
          close(peer, problem);
        });
      });
    };
    const { protocol: name } = socket;
    const closed = protocol.opened(
      { protocol: name, send, close: (code, reason) => socket.close(code, reason), onMessage: receive },
      peer,
    );
    const unwatch = stalls.watch(connection, () => drop('stalled'));
    peers.add(peer);
    socket.on('ping', (data) => {
      peer.heard = true;
      if (socket.bufferedAmount > MAX_WAITING) drop('overflow');
      else socket.pong(data);
    });
    socket.on('pong', () => {
      peer.heard = true;
    });
    // What is wrong with a client's frames closes its connection, and is of no further interest.
    socket.on('error', () => {});
    socket.once('close', (code, reason) => {
      peers.delete(peer);
      unwatch();
      peer.session?.close();
      void closed(code, String(reason));
    });
  }

  const beat = setInterval(() => {
    for (const peer of [...peers]) {
      if (!peer.heard) {
        conversations.dropped('websocket', 'silent');
        peer.socket.terminate();
      } else {
        peer.heard = false;
        peer.socket.ping();
      }
    }
  }, PING_MS).unref();

  let closing = false;
  app.server.on('upgrade', (request: IncomingMessage, stream: Socket, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      withoutUpgrade(app.server, request, stream, head);
      return;
    }
    const requestId = newId();
    try {
      if (closing) throw new Problem('unavailable', 'This server is about to end.');
      if (request.url?.split('?', 1)[0] !== PATH) {
        throw new Problem('not_found', `WebSocket connections are taken at ${PATH}.`);
      }
      refuseForeignPage(request.headers.origin, deps.origins);
      const network = networkOf(clientAddress(request, deps.trustProxy));
      const credential = credentialOf(request.headers, true);
      server.handleUpgrade(request, stream, head, (socket) => open(socket, stream, network, credential));
    } catch (error) {
      refuseUpgrade(stream, asProblem(error), requestId);
    }
  });

  app.addHook('preClose', (done) => {
    closing = true;
    clearInterval(beat);
    for (const { socket } of peers) socket.close(GOING_AWAY, 'This server is about to end.');
    const timer = setTimeout(() => {
      for (const { socket } of peers) socket.terminate();
    }, LAST_WORD_MS);
    timer.unref();
    done();
  });
}

function credentialIn(params: Readonly<Record<string, unknown>>): string | null {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) headers[name.toLowerCase()] = value;
  return credentialOf(headers, true);
}

/** Browsers let any page open a WebSocket anywhere. No cookie gives such a page anything, but the operator may want it shut. */
function refuseForeignPage(origin: string | undefined, origins: readonly string[]): void {
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return;
  throw new Problem('forbidden', 'Pages of this origin may not connect.');
}
