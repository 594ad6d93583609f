/** The page on which somebody types the code of a device (RFC 8628 §3.3). */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { networkOf } from '../../platform/network.js';
import { type Pages, requireOwnPage } from './authorize.js';
import { formOf, type Handler, type OAuthDeps, queryOf } from './deps.js';
import { pageHeaders } from './html.js';
import { devicePage } from './pages.js';

const MAX_CODE = 50;

export function createDevicePages({ accounts, admission }: OAuthDeps, pages: Pages): { ask: Handler; look: Handler } {
  const { base, begin, forPeople } = pages;

  async function ask(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await admission.countNetwork(request, reply);
    const typed = (queryOf(request).get('user_code') ?? '').slice(0, MAX_CODE);
    return reply.headers(pageHeaders(null)).send(devicePage(base, typed, null));
  }

  async function look(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await admission.countNetwork(request, reply);
    requireOwnPage(request);
    const userCode = (formOf(request).get('user_code') ?? '').slice(0, MAX_CODE);
    const found = await accounts.call('findDevice', { userCode, network: networkOf(request.ip) }, request.id);
    if (!found) {
      const fault = 'No device waits for this code. It may be mistyped, or older than a quarter of an hour.';
      return reply
        .code(400)
        .headers(pageHeaders(null))
        .send(devicePage(base, userCode, fault));
    }
    const { grantId, ...wanted } = found;
    return begin(reply, { ...wanted, answer: { by: 'device', grantId } });
  }

  return { ask: forPeople(ask), look: forPeople(look) };
}
