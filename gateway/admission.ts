/** What stands before every API route: who is calling, from where, and whether they may go on. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LimitState, RateLimiter } from '../platform/limits.js';
import { RateLimited } from '../platform/limits.js';
import { networkOf } from '../platform/network.js';
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
  /** For requests that are open to everybody and cost us something all the same. */
  countNetwork(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

export function createAdmission({ identity, limiter }: AdmissionDeps): Admission {
  return {
    async admit(request, reply) {
      const network = networkOf(request.ip);
      const credential = credentialOf(request.headers, request.url.startsWith('/v2/'));
      const caller = credential === null ? null : await resolve(credential, request.id, network, reply);
      if (limiter) await count(limiter, caller ? `key:${caller.keyId}` : `net:${network}`, reply);
      return { requestId: request.id, network, caller, internal: false };
    },
    async countNetwork(request, reply) {
      if (limiter) await count(limiter, `net:${networkOf(request.ip)}`, reply);
    },
  };

  async function resolve(credential: string, requestId: string, network: string, reply: FastifyReply): Promise<Caller> {
    try {
      return await identity.resolve(credential, requestId);
    } catch (error) {
      // Guessing keys costs a look-up each, so it is counted like anonymous use.
      if (limiter) await count(limiter, `net:${network}`, reply);
      throw error;
    }
  }
}

/** Takes one, and tells the caller in headers how many are left. */
export async function count(limiter: RateLimiter, key: string, reply: FastifyReply): Promise<void> {
  try {
    setHeaders(reply, await limiter.take(key));
  } catch (error) {
    if (error instanceof RateLimited) setHeaders(reply, error.state);
    throw error;
  }
}

function setHeaders(reply: FastifyReply, { limit, remaining, resetSeconds }: LimitState): void {
  reply.header('ratelimit-limit', limit);
  reply.header('ratelimit-remaining', remaining);
  reply.header('ratelimit-reset', resetSeconds);
}
