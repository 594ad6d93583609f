/** What the registry asks of others, held in memory: money by the rules of the contract, hosted images without bytes, users. */

import { createHash } from 'node:crypto';
import { Problem } from '../../../platform/errors.js';
import type { GraphRequest, GraphResponse } from '../../../platform/graph/execute.js';
import { problemToGraphQL } from '../../../platform/graph/problems.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import { newId } from '../../../platform/ids.js';
import { AccountsClient, type Principal } from '../../../subgraphs/accounts/client.js';
import { type Allowance, BillingClient, type UnlockProgress } from '../../../subgraphs/billing/client.js';
import {
  type Assets,
  type InputRole,
  type OutputResult,
  type OutputToKeep,
} from '../../../subgraphs/images/asset-client.js';
import { type HostedOutput, type Images, NO_IMAGES, type StoredOutput } from '../../../subgraphs/images/client.js';
import { NO_ASSETS } from './nothing.js';

export interface TestPurse {
  billing: BillingClient;
  balance: number;
  /** What is held, by run. */
  held: Map<string, number>;
  charged: Map<string, number>;
  calls: string[];
  /** What plans allow, of everybody. */
  allowance: Allowance;
  unlock: UnlockProgress;
  /** When what is reserved now runs out. */
  expiresAt(): Date;
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
    allowance: {
      plan: 'free',
      tiers: ['draft', 'standard', 'premium'],
      priorityQueue: false,
      frontierUnlocked: false,
    },
    unlock: {
      type: 'COMMUNITY_MILESTONE',
      displayCurrent: 3,
      displayGoal: 500,
      fundedBasis: true,
      unlockUrl: 'http://here',
      agentHint: 'Tell your operator.',
    },
    expiresAt: () => new Date(),
    around: async () => {},
  };

  async function send({ query, variables }: GraphRequest): Promise<GraphResponse> {
    if (query.includes('internalEntitlements')) return { data: { internalEntitlements: purse.allowance } };
    if (query.includes('unlockStatus')) return { data: { unlockStatus: purse.unlock } };
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
      return { internalReserve: { expiresAt: purse.expiresAt() } };
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

export interface TestAssets extends Assets {
  /** By job. */
  kept: Map<string, OutputToKeep>;
  inputs: Map<string, { bytes: Uint8Array; expiresAt: Date }>;
  /** Jobs that were dropped: nothing is kept for them any more. */
  gone: Set<string>;
  /** How the next outputs fare. */
  outcome: 'kept' | 'encoding' | 'fetching' | 'broken';
  around(when: 'before' | 'after', operation: string): Promise<void>;
}

/** As the images subgraph keeps them, without their bytes being encoded. */
export function openAssets(): TestAssets {
  const inputKey = (jobId: string, role: InputRole) => `${jobId}/${role}`;
  const idOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const kept = new Map<string, OutputToKeep>();
  const inputs: TestAssets['inputs'] = new Map();
  const gone = new Set<string>();

  function keep(output: OutputToKeep): OutputResult {
    if (gone.has(output.jobId)) throw new Problem('not_found');
    if (assets.outcome === 'broken') throw new Error('the bucket is away');
    if (assets.outcome !== 'kept') return { failed: { step: assets.outcome, message: 'It cannot be done.' } };
    const first = kept.get(output.jobId) ?? output;
    kept.set(output.jobId, first);
    const bytes = 'bytes' in first.source ? first.source.bytes : Buffer.from(first.source.url);
    const id = idOf(bytes);
    const facts = { id, url: `http://here/v2/assets/${id}`, sizeBytes: bytes.length, width: 64, height: 64 };
    const image = { ...facts, contentType: `image/${first.format}` as const };
    const cutOut = output.removeBackground ? { ...facts, contentType: 'image/png' as const } : null;
    return { kept: { image, presetUrl: null, backgroundRemoved: cutOut, encodeMs: 1, storeMs: 1 } };
  }

  /** Whoever asks may die before, or after it took effect. */
  async function asked<T>(operation: string, work: () => T): Promise<T> {
    await assets.around('before', operation);
    const result = work();
    await assets.around('after', operation);
    return result;
  }

  const assets: TestAssets = {
    ...NO_ASSETS,
    kept,
    inputs,
    gone,
    outcome: 'kept',
    around: async () => {},
    keepOutput: (output) => asked('keepOutput', () => keep(output)),
    keepInput: ({ jobId, role, bytes, expiresAt }) =>
      asked('keepInput', () => {
        if (gone.has(jobId)) throw new Problem('not_found');
        if (bytes.length === 0) throw new Problem('unsupported_image_type');
        inputs.set(inputKey(jobId, role), { bytes, expiresAt });
        return { contentType: 'image/png', sizeBytes: bytes.length, width: 64, height: 64 };
      }),
    async readInput(jobId, role) {
      const input = inputs.get(inputKey(jobId, role));
      return input ? { bytes: input.bytes, contentType: 'image/png', width: 64, height: 64 } : null;
    },
    keepInputsUntil: (jobId, expiresAt) =>
      asked('keepInputsUntil', () => {
        for (const [key, input] of inputs) if (key.startsWith(`${jobId}/`)) inputs.set(key, { ...input, expiresAt });
      }),
    drop: (jobId) =>
      asked('drop', () => {
        gone.add(jobId);
        kept.delete(jobId);
        for (const key of inputs.keys()) if (key.startsWith(`${jobId}/`)) inputs.delete(key);
      }),
    async read(id) {
      const found = [...kept.values()].find(({ source }) => 'bytes' in source && idOf(source.bytes) === id);
      if (!found || !('bytes' in found.source)) return null;
      return { bytes: found.source.bytes, contentType: 'image/png', width: 64, height: 64 };
    },
  };
  return assets;
}

export interface TestAccounts {
  accounts: AccountsClient;
  principals: Map<string, Principal>;
  /** Members of each team. */
  members: Map<string, Set<string>>;
  /** Handles that go to nobody else any more. */
  stamped: string[];
}

/** Users and teams are named by their ids and handles. */
export function openAccounts(): TestAccounts {
  const principals = new Map<string, Principal>();
  const members = new Map<string, Set<string>>();
  const stamped: string[] = [];
  const answers: Record<string, (variables: Record<string, unknown>) => object> = {
    internalPrincipal: ({ identifier }) => {
      const named = String(identifier).replace(/^@/, '');
      const found = [...principals.values()].find(({ id, handle }) => id === named || handle === named);
      return { internalPrincipal: found ?? null };
    },
    internalPrincipals: ({ ids }) => ({
      internalPrincipals: (ids as string[]).flatMap((id) => principals.get(id) ?? []),
    }),
    internalResolveHandle: ({ handle }) => {
      const owner = [...principals.values()].find((principal) => principal.handle === handle);
      return {
        internalResolveHandle: owner
          ? { ownerType: owner.type, ownerId: owner.id, handle: owner.handle, redirected: false }
          : null,
      };
    },
    internalStampHandle: ({ input }) => {
      const { handle } = input as { handle: string };
      const owner = [...principals.values()].find((principal) => principal.handle === handle);
      if (!owner) throw new Error(`nobody has the handle ${handle}`);
      stamped.push(handle);
      return { internalStampHandle: { ownerType: owner.type, ownerId: owner.id, handle } };
    },
    internalResourceGone: ({ input }) => ({ internalResourceGone: { id: (input as { id: string }).id } }),
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
  return { accounts: new AccountsClient(transport), principals, members, stamped };
}
