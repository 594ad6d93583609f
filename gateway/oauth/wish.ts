/** What a client asks for, as its parameters say it: each at most once (RFC 6749 §3.1). */
import { RESOURCES, type Resource } from '../../platform/resources.js';
import { KEY_SCOPES, type KeyScope } from '../../platform/scope.js';
import { OAuthError, type Wish } from '../../subgraphs/accounts/oauth/oauth.contract.js';
import { scopesOf } from './metadata.js';

const MAX_VALUE = 4_000;

export class Parameters {
  readonly #values: ReadonlyMap<string, string>;

  constructor(given: URLSearchParams) {
    const values = new Map<string, string>();
    for (const [name, value] of given) {
      if (values.has(name)) throw new OAuthError('invalid_request', `${name.slice(0, 100)} is given more than once.`);
      if (value.length > MAX_VALUE) throw new OAuthError('invalid_request', `${name.slice(0, 100)} is too long.`);
      // A parameter without a value is as if it were not there.
      if (value !== '') values.set(name, value);
    }
    this.#values = values;
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  need(name: string): string {
    const value = this.get(name);
    if (value === null) throw new OAuthError('invalid_request', `${name} is missing.`);
    return value;
  }
}

/** Null: the client did not say. */
export function readResource(given: Parameters, issuer: string): Resource | null {
  const named = given.get('resource');
  if (named === null) return null;
  const path = named.startsWith(issuer) ? named.slice(issuer.length).replace(/\/+$/, '') : null;
  const resource = RESOURCES.find((known) => known === path);
  if (resource === undefined) throw new OAuthError('invalid_target', 'resource is not an address of this server.');
  return resource;
}

/** Scopes of other servers, which clients ask for everywhere, are passed over. Null: the client named none of ours. */
export function readScopes(given: Parameters): KeyScope[] | null {
  const named = (given.get('scope') ?? '').split(' ');
  // Who may do everything may do each thing.
  const scopes = named.includes('account') ? [...KEY_SCOPES] : KEY_SCOPES.filter((scope) => named.includes(scope));
  return scopes.length === 0 ? null : scopes;
}

export function readWish(given: Parameters, issuer: string): Wish {
  const resource = readResource(given, issuer) ?? '';
  const possible = scopesOf(resource);
  const scopes = (readScopes(given) ?? possible).filter((scope) => possible.includes(scope));
  return { resource, scopes };
}
