/** What an operator may do, served on a socket that only the operator can open. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import { Problem } from '../platform/errors.js';
import { createHttp, type HttpOptions } from '../platform/http.js';
import { UserId } from '../platform/ids.js';
import type { AccountsClient } from '../subgraphs/accounts/client.js';

const suspensionSchema = z.object({
  user: z.string().min(1).max(400),
  suspended: z.boolean(),
  reason: z.string().max(1000).nullable(),
});

export interface AdminDeps {
  http: HttpOptions;
  accounts: AccountsClient;
  log: Logger;
}

export function createAdmin({ http, accounts, log }: AdminDeps): FastifyInstance {
  const app = createHttp(http);
  app.post('/suspension', async (request) => {
    const body = suspensionSchema.safeParse(request.body);
    if (!body.success) throw new Problem('validation_error');
    const { user, suspended, reason } = body.data;
    const { userId } = await accounts.setSuspension({ userIdentifier: user, suspended, reason }, request.id);
    log.warn({ userId, suspended, reason, requestId: request.id }, 'an operator changed the standing of an account');
    return { user_id: UserId.format(userId), suspended };
  });
  return app;
}
