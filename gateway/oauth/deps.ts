import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Secrets } from '../../platform/secrets.js';
import type { OAuthClient } from '../../subgraphs/accounts/oauth-client.js';
import type { Admission } from '../admission.js';

export interface OAuthDeps {
  accounts: OAuthClient;
  admission: Admission;
  secrets: Secrets;
  /** PUBLIC_URL, by which this server is known to clients. */
  issuer: string;
  /** What is remembered of a user is no longer right. */
  forget(userId: string): void;
  now: () => Date;
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** A form's fields; anything else that was sent has none. */
export function formOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(typeof request.body === 'string' ? request.body : '');
}

export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(request.url.split('?').slice(1).join('?'));
}
