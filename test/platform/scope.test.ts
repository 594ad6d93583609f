import { afterEach, describe, expect, it, vi } from 'vitest';
import { newId } from '../../platform/ids.js';
import {
  openScope,
  SCOPE_HEADER,
  type Scope,
  ScopeOpener,
  ScopeSigner,
  signScope,
  wholeAccount,
} from '../../platform/scope.js';
import { Secrets } from '../../platform/secrets.js';

const secrets = new Secrets('one secret of thirty-two characters and more');
const scope: Scope = {
  requestId: 'r1',
  network: '203.0.113.9',
  caller: {
    userId: newId(),
    keyId: newId(),
    ...wholeAccount(newId()),
    email: 'a@example.com',
    handle: null,
    handleClaimedAt: null,
    createdAt: new Date('2026-01-02T03:04:05.678Z'),
    suspended: false,
  },
  internal: false,
};

describe('the signed scope', () => {
  it('arrives as it was sent, dates and all', () => {
    const { requestId, ...claims } = scope;
    expect(openScope(secrets, 'accounts', signScope(secrets, 'accounts', scope))).toEqual(claims);
    const headers = new ScopeSigner(secrets, 'accounts').headers(scope);
    expect(headers['x-request-id']).toBe(requestId);
    expect(new ScopeOpener(secrets, 'accounts').open(headers[SCOPE_HEADER], 'r1')).toEqual(scope);
  });

  it('is refused by another subgraph, later, and under another secret', () => {
    const header = signScope(secrets, 'accounts', scope);
    expect(openScope(secrets, 'billing', header)).toBeNull();
    expect(openScope(secrets, 'accounts', header, Date.now() + 31_000)).toBeNull();
    expect(openScope(new Secrets('another secret of thirty-two characters'), 'accounts', header)).toBeNull();
  });

  it('is refused when it claims to hold for longer than any honest one', () => {
    expect(openScope(secrets, 'accounts', signScope(secrets, 'accounts', scope, Date.now() + 3_600_000))).toBeNull();
  });

  it('is refused when a single character of it differs', () => {
    const header = signScope(secrets, 'accounts', scope);
    for (let i = 0; i < header.length; i += 7) {
      const other = header[i] === 'A' ? 'B' : 'A';
      // The last character of a base64url text may hold bits that do not count.
      if (i === header.length - 1) continue;
      expect(openScope(secrets, 'accounts', header.slice(0, i) + other + header.slice(i + 1)), `at ${i}`).toBeNull();
    }
  });

  it.each([undefined, '', '.', 'a.b', `${Buffer.from('{}').toString('base64url')}.x`, ['a', 'b']])(
    'refuses %j',
    (header) => {
      expect(openScope(secrets, 'accounts', header)).toBeNull();
    },
  );

  describe('used again', () => {
    afterEach(() => vi.useRealTimers());
    const signer = new ScopeSigner(secrets, 'accounts');
    const header = (of: Scope) => signer.headers(of)[SCOPE_HEADER];

    it('is the same for the next request of a caller, for some seconds', () => {
      vi.useFakeTimers();
      const first = header(scope);
      expect(header({ ...scope, requestId: 'r2' })).toBe(first);
      vi.advanceTimersByTime(6_000);
      expect(header(scope)).not.toBe(first);
    });

    it('is another one from another network, for internal calls, and once the caller was looked up again', () => {
      const headers = [
        header(scope),
        header({ ...scope, network: '203.0.113.10' }),
        header({ ...scope, internal: true }),
        header({ ...scope, caller: scope.caller && { ...scope.caller, suspended: true } }),
        header({ ...scope, caller: null }),
      ];
      const opener = new ScopeOpener(secrets, 'accounts');
      const opened = headers.map((one) => opener.open(one, 'r'));
      expect(new Set(opened.map((one) => JSON.stringify(one))).size).toBe(headers.length);
    });

    it('ends when it ends, also for who opened it before', () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const opener = new ScopeOpener(secrets, 'accounts');
      const old = signScope(secrets, 'accounts', scope, Date.now() - 28_000);
      expect(opener.open(old, 'r')).not.toBeNull();
      expect(new ScopeOpener(secrets, 'billing').open(old, 'r')).toBeNull();
      vi.advanceTimersByTime(3_000);
      expect(opener.open(old, 'r')).toBeNull();
    });
  });
});
