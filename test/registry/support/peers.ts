/** What the registry asks of others, held in memory: money by the rules of the contract, hosted images without bytes, users. */

import { Problem } from '../../../platform/errors.js';
import type { GraphRequest, GraphResponse } from '../../../platform/graph/execute.js';
import { problemToGraphQL } from '../../../platform/graph/problems.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import { newId } from '../../../platform/ids.js';
import { AccountsClient, type Principal } from '../../../subgraphs/accounts/client.js';
import { BillingClient } from '../../../subgraphs/billing/client.js';
import { type HostedOutput, type Images, NO_IMAGES, type StoredOutput } from '../../../subgraphs/images/client.js';

export interface TestPurse {
  billing: BillingClient;
  balance: number;
  /** What is held, by run. */
  held: Map<string, number>;
  charged: Map<string, number>;
  calls: string[];
  /** Called before an operation takes effect, and after it did. */
  around(when: 'before' | 'after', operation: string): Promise<void>;
}

interface Input {
  runId: string;
  amount: number;
}

export function openPurse(balance: number): TestPurse {
  const held = new Map<string, number>();
  const charged = new Map<string, number>();
  const purse: TestPurse = {
    billing: new BillingClient({
      name: 'billing',
      send,
      ready: async () => {},
      close: async () => {},
    } as SubgraphTransport),
    balance,
    held,
    charged,
    calls: [],
    around: async () => {},
  };

  async function send({ query, variables }: GraphRequest): Promise<GraphResponse> {
    const operation = /internal(Reserve|Settle|Release)\(/.exec(query)?.[1] ?? '';
    purse.calls.push(operation);
    await purse.around('before', operation);
    try {
      const data = act(operation, variables?.['input'] as Input);
      await purse.around('after', operation);
      return { data };
    } catch (error) {
      if (error instanceof Problem) return { data: null, errors: [problemToGraphQL(error)] };
      throw error;
    }
  }

  function act(operation: string, { runId, amount }: Input): Record<string, unknown> {
    const reserved = held.get(runId);
    if (operation === 'Reserve') {
      if (reserved === undefined && amount > purse.balance) throw new Problem('budget_exhausted');
      if (reserved === undefined) {
        purse.balance -= amount;
        held.set(runId, amount);
      }
      return { internalReserve: { expiresAt: new Date() } };
    }
    held.delete(runId);
    purse.balance += reserved ?? 0;
    if (operation === 'Release') return { internalRelease: { released: reserved !== undefined } };
    if (!charged.has(runId)) {
      charged.set(runId, amount);
      purse.balance -= amount;
    }
    return { internalSettle: { charged: charged.get(runId) ?? 0 } };
  }

  return purse;
}

export interface TestImages extends Images {
  hosted: Map<string, HostedOutput>;
  around(when: 'before' | 'after'): Promise<void>;
}

export function openImages(): TestImages {
  const hosted = new Map<string, HostedOutput>();
  const images: TestImages = {
    ...NO_IMAGES,
    hosted,
    around: async () => {},
    async storeOutput({ runId, index, ownerId, source }) {
      await images.around('before');
      const key = `${runId}/${index}`;
      if ('url' in source || source.bytes.length === 0) return null;
      const known = hosted.get(key);
      const id = newId();
      const stored: StoredOutput = known ?? {
        id,
        url: `http://here/v1/i/${id}.png`,
        visibility: ownerId === null ? 'public' : 'private',
        expiresAt: ownerId === null ? new Date(Date.now() + 86_400_000) : null,
        contentType: 'image/png',
        sizeBytes: source.bytes.length,
        width: 512,
        height: 512,
      };
      hosted.set(key, { ...stored, index });
      await images.around('after');
      return stored;
    },
    async outputsOf(runId) {
      return [...hosted].filter(([key]) => key.startsWith(`${runId}/`)).map(([, output]) => output);
    },
    async readReference({ url }) {
      if (url.includes('missing')) throw Problem.invalid('reference_image_url', 'cannot be read');
      return { bytes: Buffer.from('reference'), contentType: 'image/png', width: 64, height: 64 };
    },
  };
  return images;
}

export interface TestAccounts {
  accounts: AccountsClient;
  principals: Map<string, Principal>;
  /** Members of each team. */
  members: Map<string, Set<string>>;
}

/** Users and teams are named by their ids and handles. */
export function openAccounts(): TestAccounts {
  const principals = new Map<string, Principal>();
  const members = new Map<string, Set<string>>();
  const answers: Record<string, (variables: Record<string, unknown>) => object> = {
    internalPrincipal: ({ identifier }) => {
      const named = String(identifier).replace(/^@/, '');
      const found = [...principals.values()].find(({ id, handle }) => id === named || handle === named);
      return { internalPrincipal: found ?? null };
    },
    internalPrincipals: ({ ids }) => ({
      internalPrincipals: (ids as string[]).flatMap((id) => principals.get(id) ?? []),
    }),
    internalTeamsOf: ({ userId }) => ({
      internalTeamsOf: [...members].filter(([, users]) => users.has(String(userId))).map(([team]) => team),
    }),
  };
  const transport: SubgraphTransport = {
    name: 'accounts',
    async send({ query, variables }) {
      const operation = /\b(internal\w+)\(/.exec(query)?.[1];
      const answer = answers[operation ?? ''];
      if (!answer) throw new Error(`accounts was asked for ${operation}`);
      return { data: answer(variables ?? {}) as Record<string, unknown> };
    },
    ready: async () => {},
    close: async () => {},
  };
  return { accounts: new AccountsClient(transport), principals, members };
}
