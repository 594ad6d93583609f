/** What stands before every API route: who is calling, from where, and whether they may go on. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LimitState, RateLimiter } from '../platform/limits.js';
import { RateLimited } from '../platform/limits.js';
import { networkOf } from '../platform/network.js';
import { type Resource, resourceOf } from '../platform/resources.js';
import type { Caller, Scope } from '../platform/scope.js';
import { credentialOf, type Identity } from './identity.js';

export interface AdmissionDeps {
  identity: Identity;
  /** Requests a minute, counted by key, or by network where there is no good key. */
  limiter: RateLimiter | null;
}

export type Admit = (request: FastifyRequest, reply: FastifyReply) => Promise<Scope>;

export interface Admission {
  admit: Admit;
  /** For what comes over a connection that stays open, where no header can tell how much is left. */
  admitCredential(credential: string | null, requestId: string, network: string): Promise<Scope>;
  /** One more operation over such a connection. */
  countOperation(scope: Scope): Promise<void>;
  /** For requests that are open to everybody and cost us something all the same. */
  countNetwork(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

type Tell = (state: LimitState) => void;

export function createAdmission({ identity, limiter }: AdmissionDeps): Admission {
  return {
    async admit(request, reply) {
      const credential = credentialOf(request.headers, request.url.startsWith('/v2/'));
      const tell = (state: LimitState) => setHeaders(reply, state);
      // By the route, not by the text of the address: the router takes /%6dcp for /mcp.
      const resource = resourceOf(request.routeOptions.url ?? request.url);
      return admitCredential(credential, request.id, networkOf(request.ip), tell, resource);
    },
    admitCredential: (credential, requestId, network) => admitCredential(credential, requestId, network, () => {}, ''),
    countOperation: ({ caller, network }) => take(keyOf(caller, network), () => {}),
    countNetwork: (request, reply) => take(keyOf(null, networkOf(request.ip)), (state) => setHeaders(reply, state)),
  };

  async function admitCredential(
    credential: string | null,
    requestId: string,
    network: string,
    tell: Tell,
    resource: Resource,
  ) {
    const caller = credential === null ? null : await resolve(credential, requestId, network, tell, resource);
    await take(keyOf(caller, network), tell);
    return { requestId, network, caller, internal: false };
  }

  async function resolve(
    credential: string,
    requestId: string,
    network: string,
    tell: Tell,
    resource: Resource,
  ): Promise<Caller> {
    try {
      return await identity.resolve(credential, requestId, resource);
    } catch (error) {
      // Guessing keys costs a look-up each, so it is counted like anonymous use.
      await take(keyOf(null, network), tell);
      throw error;
    }
  }

  async function take(key: string, tell: Tell): Promise<void> {
    if (limiter) await counted(limiter, key, tell);
  }
}

function keyOf(caller: Caller | null, network: string): string {
  return caller ? `key:${caller.keyId}` : `net:${network}`;
}

/** Takes one, and tells the caller in headers how many are left. */
export function count(limiter: RateLimiter, key: string, reply: FastifyReply): Promise<void> {
  return counted(limiter, key, (state) => setHeaders(reply, state));
}

async function counted(limiter: RateLimiter, key: string, tell: Tell): Promise<void> {
  try {
    tell(await limiter.take(key));
  } catch (error) {
    if (error instanceof RateLimited) tell(error.state);
    throw error;
  }
}

function setHeaders(reply: FastifyReply, { limit, remaining, resetSeconds }: LimitState): void {
  reply.header('ratelimit-limit', limit);
  reply.header('ratelimit-remaining', remaining);
  reply.header('ratelimit-reset', resetSeconds);
}
