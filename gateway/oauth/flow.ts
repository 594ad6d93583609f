/**
 * Where somebody stands on the way from a client's request to their decision. It travels through the pages' forms, signed,
 * and is good in the browser alone in which it began. Nobody is kept signed in, so there is nothing that another
 * page could make a browser do in somebody's name.
 */

import { z } from 'zod';
import { RESOURCES } from '../../platform/resources.js';
import { KEY_SCOPES } from '../../platform/scope.js';
import { randomToken, type Secrets, sha256 } from '../../platform/secrets.js';

const FLOW_MS = 15 * 60_000;
const PURPOSE = 'oauth-flow';

const flowSchema = z.object({
  clientId: z.string(),
  clientName: z.string(),
  resource: z.enum(RESOURCES),
  scopes: z.array(z.enum(KEY_SCOPES)),
  /** How the decision gets to the client: sent to an address, or asked for by the device. */
  answer: z.discriminatedUnion('by', [
    z.object({
      by: z.literal('redirect'),
      redirectUri: z.string(),
      state: z.string().nullable(),
      challenge: z.string(),
    }),
    z.object({ by: z.literal('device'), grantId: z.string() }),
  ]),
  /** Where a code was sent. */
  email: z.string().nullable(),
  /** Who has proved it. */
  userId: z.string().nullable(),
  browser: z.string(),
  expiresAt: z.number(),
});

export type Flow = z.infer<typeof flowSchema>;
export type RedirectAnswer = Extract<Flow['answer'], { by: 'redirect' }>;

/** What the browser keeps, and what the flow knows of it. */
export function newBrowser(): { cookie: string; browser: string } {
  const cookie = randomToken();
  return { cookie, browser: sha256(cookie) };
}

export function flowEnd(now: Date): number {
  return now.getTime() + FLOW_MS;
}

export function sealFlow(secrets: Secrets, flow: Flow): string {
  const payload = Buffer.from(JSON.stringify(flow)).toString('base64url');
  return `${payload}.${secrets.mac(PURPOSE, payload)}`;
}

/** Null for anything but a flow that was sealed here for this browser a moment ago. */
export function openFlow(secrets: Secrets, sealed: string, cookie: string | null, now: Date): Flow | null {
  const [payload = '', mac = '', ...rest] = sealed.split('.');
  if (rest.length > 0 || cookie === null || !secrets.verify(PURPOSE, payload, mac)) return null;
  const flow = flowSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  if (!flow.success || flow.data.expiresAt <= now.getTime() || flow.data.browser !== sha256(cookie)) return null;
  return flow.data;
}
