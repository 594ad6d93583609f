/** What the gateway may ask of accounts on behalf of OAuth clients. */
import { z } from 'zod';
import { Problem } from '../../platform/errors.js';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';
import {
  type InputOf,
  OAUTH_CALLS,
  type OAuthCall,
  OAuthError,
  type OutputOf,
  refusalSchema,
  TokensEnded,
} from './oauth/oauth.contract.js';

const oauthCall: InternalCall<{ internalOAuth: string }> = {
  query: 'mutation InternalOAuth($input: InternalOAuthInput!) { internalOAuth(input: $input) }',
  result: z.object({ internalOAuth: z.string() }),
};

export class OAuthClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  /** Throws the refusal, as an OAuthError where it is about OAuth. */
  async call<C extends OAuthCall>(call: C, given: InputOf<C>, requestId: string): Promise<OutputOf<C>> {
    const input = { call, input: JSON.stringify(given) };
    const { internalOAuth } = await callInternal(this.#transport, oauthCall, { input }, requestId);
    const answer: unknown = JSON.parse(internalOAuth);
    const refusal = refusalSchema.safeParse(answer);
    if (refusal.success) {
      const { code, description, userId } = refusal.data.refused;
      throw userId === null ? new OAuthError(code, description) : new TokensEnded(userId, description);
    }
    const output = OAUTH_CALLS[call].output.safeParse(answer);
    if (!output.success) throw new Problem('unavailable', undefined, { cause: output.error });
    return output.data as OutputOf<C>;
  }
}
