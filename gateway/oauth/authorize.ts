/**
 * The authorization endpoint and the pages behind it: an e-mail address, the code that was sent there, a decision. A
 * request that cannot be trusted to name its client's own address is answered here; every other answer goes there.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import { networkOf } from '../../platform/network.js';
import { type OAuthClientView, OAuthError } from '../../subgraphs/accounts/oauth/oauth.contract.js';
import { allows } from '../../subgraphs/accounts/oauth/redirect-uri.js';
import { formOf, type Handler, type OAuthDeps, queryOf } from './deps.js';
import { type Flow, flowEnd, newBrowser, openFlow, type RedirectAnswer, sealFlow } from './flow.js';
import { formTargetOf, pageHeaders } from './html.js';
import { codePage, consentPage, emailPage, messagePage, wayBackPage } from './pages.js';
import { Parameters, readWish } from './wish.js';

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const MAX_STATE = 4_000;

/** What stops a person: shown as a page, because there is nowhere that it could be sent. */
class Stop extends Error {
  readonly title: string;

  constructor(title: string, text: string) {
    super(text);
    this.title = title;
  }
}

export interface Pages {
  authorize: Handler;
  step: Handler;
  /** Begins the way to a decision. */
  begin(reply: FastifyReply, wanted: Omit<Flow, 'email' | 'userId' | 'browser' | 'expiresAt'>): FastifyReply;
  /** Runs what answers a person: what it throws becomes a page. */
  forPeople(handler: Handler): Handler;
  base: string;
}

export function createPages(deps: OAuthDeps): Pages {
  const { accounts, admission, secrets, issuer, now } = deps;
  const base = new URL(issuer).pathname.replace(/\/+$/, '');
  const secure = issuer.startsWith('https:');
  // The prefix binds a cookie to this host, but browsers take it over https alone.
  const cookieName = secure ? '__Host-darkroom_flow' : 'darkroom_flow';

  function begin(reply: FastifyReply, wanted: Omit<Flow, 'email' | 'userId' | 'browser' | 'expiresAt'>): FastifyReply {
    const { cookie, browser } = newBrowser();
    // Lax: the browser comes from the client's page.
    const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
    reply.header('set-cookie', `${cookieName}=${cookie}; ${attributes}`);
    return show(reply, { ...wanted, email: null, userId: null, browser, expiresAt: flowEnd(now()) }, null);
  }

  /** The page for where a flow stands. */
  function show(reply: FastifyReply, flow: Flow, fault: string | null, typed?: string): FastifyReply {
    const { email, userId, answer } = flow;
    const sealed = sealFlow(secrets, flow);
    const consenting = userId !== null && answer.by === 'redirect';
    reply.headers(pageHeaders(consenting ? formTargetOf(answer.redirectUri) : null));
    if (userId !== null) return reply.send(consentPage(base, flow, sealed));
    if (email !== null) return reply.send(codePage(base, flow, sealed, fault));
    return reply.send(emailPage(base, flow, sealed, fault, typed));
  }

  async function authorize(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await admission.countNetwork(request, reply);
    const given = queryOf(request);
    const { client, redirectUri } = await trustedTarget(given, request.id);
    const state = given.get('state');
    try {
      const asked = new Parameters(given);
      requireCodeWithPkce(asked);
      if (asked.get('prompt') === 'none') throw new OAuthError('login_required', 'Somebody has to sign in.');
      const challenge = asked.need('code_challenge');
      const wish = readWish(asked, issuer);
      if (wish.scopes.length === 0) throw new OAuthError('invalid_scope', 'No scope is left that this resource has.');
      const answer: RedirectAnswer = { by: 'redirect', redirectUri, state, challenge };
      return begin(reply, { clientId: client.id, clientName: client.name, ...wish, answer });
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      const refused = { error: error.code, error_description: error.message };
      const target = answerAddress({ redirectUri, state }, refused);
      // Anybody may register a site: nobody is sent to one from here unasked (RFC 9700 §4.11.2).
      if (target.protocol === 'https:') {
        return reply
          .code(400)
          .headers(pageHeaders(null))
          .send(wayBackPage(client.name, error.message, target));
      }
      return redirect(reply, target);
    }
  }

  /** The client and one of its own addresses. Without them nothing is sent anywhere. */
  async function trustedTarget(given: URLSearchParams, requestId: string) {
    const [clientId, ...more] = given.getAll('client_id');
    const [redirectUri, ...others] = given.getAll('redirect_uri');
    const states = given.getAll('state');
    if (!clientId || more.length + others.length > 0 || states.length > 1 || (states[0] ?? '').length > MAX_STATE) {
      throw new Stop(
        'This request cannot be read',
        'The application sent something that this server does not understand.',
      );
    }
    const client = await accounts.call('client', { id: clientId.slice(0, 200) }, requestId);
    if (!client) {
      throw new Stop(
        'This application is not known here',
        'It has to register with this server again before it can ask.',
      );
    }
    const target = redirectUri ?? onlyAddressOf(client);
    if (target === null || !client.redirectUris.some((registered) => allows(registered, target))) {
      throw new Stop(
        'This request cannot be trusted',
        'It asks for the answer to be sent to an address that the application did not register.',
      );
    }
    return { client, redirectUri: target };
  }

  async function step(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await admission.countNetwork(request, reply);
    requireOwnPage(request);
    const form = formOf(request);
    const flow = openFlow(secrets, form.get('flow') ?? '', cookieOf(request, cookieName), now());
    if (!flow) {
      throw new Stop(
        'This took too long',
        'Go back to the application and begin again, in one browser with cookies on.',
      );
    }
    if (flow.userId !== null) return decide(flow, flow.userId, form.get('decision'), request, reply);
    if (flow.email === null) return sendCode(flow, form.get('email') ?? '', request, reply);
    if (form.has('again')) return show(reply, { ...flow, email: null }, null);
    return checkCode(flow, flow.email, form.get('code') ?? '', request, reply);
  }

  async function sendCode(flow: Flow, typed: string, request: FastifyRequest, reply: FastifyReply) {
    const input = { email: typed.slice(0, 1000), network: networkOf(request.ip) };
    try {
      const { email } = await accounts.call('requestCode', input, request.id);
      return show(reply, { ...flow, email }, null);
    } catch (error) {
      return show(reply.code(statusOf(error)), flow, forPerson(error), input.email);
    }
  }

  async function checkCode(flow: Flow, email: string, code: string, request: FastifyRequest, reply: FastifyReply) {
    try {
      const { userId } = await accounts.call('signIn', { email, code: code.slice(0, 100) }, request.id);
      return show(reply, { ...flow, userId }, null);
    } catch (error) {
      return show(reply.code(statusOf(error)), flow, forPerson(error));
    }
  }

  async function decide(
    flow: Flow,
    userId: string,
    decision: string | null,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    if (decision !== 'allow' && decision !== 'deny') return show(reply.code(400), flow, null);
    const { clientId, resource, scopes, answer } = flow;
    const approved = decision === 'allow';
    if (answer.by === 'device') {
      const { grantId } = answer;
      const { decided } = await accounts.call('decideDevice', { grantId, userId, approved }, request.id);
      if (!decided) throw new Stop('This took too long', 'The code has expired, or somebody has decided already.');
      const [title, text] = approved
        ? ['Your device is let in', 'You can close this page and go back to it.']
        : ['Your device is not let in', 'You can close this page.'];
      return reply.headers(pageHeaders(null)).send(messagePage(title, text));
    }
    if (!approved) {
      const refused = { error: 'access_denied', error_description: 'The user refused.' };
      return redirect(reply, answerAddress(answer, refused));
    }
    const { redirectUri, challenge } = answer;
    const wanted = { clientId, userId, redirectUri, challenge, resource, scopes };
    const { code } = await accounts.call('authorize', wanted, request.id);
    return redirect(reply, answerAddress(answer, { code }));
  }

  /** The issuer goes with every answer, so that a client is not taken in by another server's (RFC 9207). */
  function answerAddress(
    { redirectUri, state }: Pick<RedirectAnswer, 'redirectUri' | 'state'>,
    answer: Record<string, string>,
  ): URL {
    const target = new URL(redirectUri);
    for (const [name, value] of Object.entries({ ...answer, ...(state !== null && { state }), iss: issuer })) {
      target.searchParams.append(name, value);
    }
    return target;
  }

  function forPeople(handler: Handler): Handler {
    return async (request, reply) => {
      try {
        return await handler(request, reply);
      } catch (error) {
        if (error instanceof Stop) {
          return reply.code(400).headers(pageHeaders(null)).send(messagePage(error.title, error.message));
        }
        const text = forPerson(error);
        return reply.code(statusOf(error)).headers(pageHeaders(null)).send(messagePage('This did not work', text));
      }
    };
  }

  return { authorize: forPeople(authorize), step: forPeople(step), begin, forPeople, base };
}

function redirect(reply: FastifyReply, target: URL): FastifyReply {
  return reply.code(303).header('location', target.href).send();
}

function requireCodeWithPkce(asked: Parameters): void {
  if ((asked.get('response_mode') ?? 'query') !== 'query') {
    throw new OAuthError('invalid_request', 'response_mode must be query.');
  }
  // A client that signs its requests means more by them than what stands beside.
  if (asked.get('request') !== null || asked.get('request_uri') !== null) {
    throw new OAuthError('invalid_request', 'Request objects are not supported here.');
  }
  if (asked.need('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code.');
  }
  if (asked.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(asked.need('code_challenge'))) {
    throw new OAuthError('invalid_request', 'PKCE with code_challenge_method S256 is required.');
  }
}

function onlyAddressOf({ redirectUris: [first, ...others] }: OAuthClientView): string | null {
  return first !== undefined && others.length === 0 ? first : null;
}

/** A form of another site's page says so, in browsers that are not very old. */
export function requireOwnPage({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Stop('This request was forged', 'It came from a page of another site. Nothing was done.');
  }
}

function cookieOf({ headers: { cookie = '' } }: FastifyRequest, name: string): string | null {
  const found = cookie.split(';').find((pair) => pair.trim().startsWith(`${name}=`));
  return found === undefined ? null : found.trim().slice(name.length + 1);
}

function statusOf(error: unknown): number {
  if (error instanceof OAuthError) return 400;
  if (error instanceof Problem) return error.status;
  throw error;
}

/** Bugs are nobody's reading, and go on to be logged. */
function forPerson(error: unknown): string {
  if (error instanceof OAuthError) return error.message;
  if (error instanceof Problem) return error.options.details?.[0] ? 'That is not an e-mail address.' : error.message;
  throw error;
}
