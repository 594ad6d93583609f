import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Operations } from '../../gateway/graphql/operations.js';
import { type KeyScope, type Scope, wholeAccount } from '../../platform/scope.js';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';

const sent: string[] = [];
const operations = new Operations({
  supergraphSdl: readFileSync('gateway/supergraph.graphql', 'utf8'),
  transports: SUBGRAPH_NAMES.map((name) => ({
    name,
    send: async ({ query }) => {
      sent.push(query);
      return { data: null };
    },
    pull: async () => ({ errors: [] }),
    follow: () => () => {},
    ready: async () => {},
    close: async () => {},
  })),
  limits: { depth: 12, cost: 20_000, aliases: 50, introspection: true },
  log: pino({ level: 'silent' }),
});

function needed(source: string, operationName?: string): KeyScope[] {
  return [...operations.prepare(source, operationName).keyScopes].toSorted();
}

function withKey(...scopes: KeyScope[]): Scope {
  const who = { userId: 'u', keyId: 'k', email: 'a@example.com', handle: null, handleClaimedAt: null };
  const caller = { ...who, ...wholeAccount('u'), scopes, createdAt: new Date(), suspended: false };
  return { requestId: 'r', network: 'n', caller, internal: false };
}

describe('what a key must have for an operation', () => {
  it('is the account, for whatever is not marked', () => {
    expect(needed('{ me { id } }')).toEqual(['account']);
    expect(needed('mutation { createPortal { url } }')).toEqual(['account']);
  });

  it('is the scope of its root fields, where all that they select is open', () => {
    expect(needed('{ billingStatus { quotaRemaining entitlements { plan } __typename } __typename }')).toEqual([
      'read',
    ]);
    const purchase = 'mutation { purchaseCredits(input: { packId: "p", idempotencyKey: "k" }) { creditBalance } }';
    expect(needed(purchase)).toEqual(['generate']);
  });

  it('is the account too, where a fragment reaches for more', () => {
    expect(
      needed('{ unlockStatus { ...on UnlockStatus { type } } ...Own } fragment Own on Query { me { id } }'),
    ).toEqual(['account', 'read']);
  });

  it('counts the chosen operation of a document alone', () => {
    const document = 'query A { me { ...U } } query B { unlockStatus { type } } fragment U on User { email }';
    expect(needed(document, 'A')).toEqual(['account']);
    expect(needed(document, 'B')).toEqual(['read']);
  });

  it('is nothing to ask for the names of types', () => {
    expect(needed('{ __schema { types { name } } __typename }')).toEqual([]);
  });
});

describe('a key without the scope', () => {
  const me = operations.prepare('{ me { id } }');
  const status = operations.prepare('{ billingStatus { quotaRemaining } }');

  it('is refused before any subgraph is asked', async () => {
    sent.length = 0;
    await expect(operations.execute(me, {}, withKey('read', 'generate'))).rejects.toMatchObject({ slug: 'forbidden' });
    await expect(operations.execute(status, {}, withKey('generate'))).rejects.toMatchObject({
      slug: 'forbidden',
      options: { extra: { required_scope: 'read' } },
    });
    expect(sent).toEqual([]);
  });

  it('says nothing about callers who bring none', async () => {
    await operations.execute(me, {}, { requestId: 'r', network: 'n', caller: null, internal: false });
    await operations.execute(status, {}, withKey('read'));
    expect(sent).toHaveLength(2);
  });
});
