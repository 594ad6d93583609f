/** The platform as its users see it: over HTTP. */
import type { Platform } from './platform.js';

export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

export interface Account {
  email: string;
  key: string;
  id: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member, and each test asserts what it reads.
type Loose = any;

export function clientOf(platform: Pick<Platform, 'url' | 'mailbox'>) {
  const { mailbox } = platform;

  async function rest(method: string, path: string, key?: string, body?: unknown): Promise<Answer<Loose>> {
    const response = await fetch(platform.url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  }

  async function graph(query: string, variables: object = {}, key?: string): Promise<Answer<Loose>> {
    return rest('POST', '/graphql', key, { query, variables });
  }

  /** Registers an address as its owner would: asks for the code, reads the mail, sends the code. */
  async function account(email: string): Promise<Account> {
    const before = mailbox.mails.length;
    await rest('POST', '/v1/register', undefined, { email });
    const code = await mailbox.code(email, before);
    const { body } = await rest('POST', '/v1/register/verify', undefined, { email, code });
    const me = await rest('GET', '/v1/me', body.api_key);
    return { email, key: body.api_key, id: me.body.id };
  }

  return { rest, graph, account };
}

export type Client = ReturnType<typeof clientOf>;
