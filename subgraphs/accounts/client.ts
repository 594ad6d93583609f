/** What other parts of the platform may ask of accounts. */
import { z } from 'zod';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';
import { type Caller, callerSchema } from '../../platform/scope.js';

const callerByKey: InternalCall<{ internalCaller: Caller | null }> = {
  query: `query InternalCaller($keyHash: String!) {
    internalCaller(keyHash: $keyHash) { userId keyId email handle handleClaimedAt createdAt suspended }
  }`,
  result: z.object({ internalCaller: callerSchema.nullable() }),
};

const userSchema = callerSchema.pick({ userId: true, email: true, handle: true, createdAt: true, suspended: true });

export type KnownUser = z.infer<typeof userSchema>;

const userNamed: InternalCall<{ internalUser: KnownUser | null }> = {
  query: `query InternalUser($identifier: String!) {
    internalUser(identifier: $identifier) { userId email handle createdAt suspended }
  }`,
  result: z.object({ internalUser: userSchema.nullable() }),
};

const setSuspension: InternalCall<{ internalSetSuspension: { userId: string; suspended: boolean } }> = {
  query: `mutation InternalSetSuspension($input: InternalSetSuspensionInput!) {
    internalSetSuspension(input: $input) { userId suspended }
  }`,
  result: z.object({ internalSetSuspension: z.object({ userId: z.string(), suspended: z.boolean() }) }),
};

const announceGateway: InternalCall<{ internalAnnounceGateway: { others: number; unshared: number } }> = {
  query: `mutation InternalAnnounceGateway($input: InternalAnnounceGatewayInput!) {
    internalAnnounceGateway(input: $input) { others unshared }
  }`,
  result: z.object({ internalAnnounceGateway: z.object({ others: z.number(), unshared: z.number() }) }),
};

export class AccountsClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  async caller(keyHash: string, requestId: string): Promise<Caller | null> {
    const { internalCaller } = await callInternal(this.#transport, callerByKey, { keyHash }, requestId);
    return internalCaller;
  }

  /** By id, e-mail address or handle; null when there is no such user. */
  async user(identifier: string, requestId: string): Promise<KnownUser | null> {
    return (await callInternal(this.#transport, userNamed, { identifier }, requestId)).internalUser;
  }

  async setSuspension(input: { userIdentifier: string; suspended: boolean; reason: string | null }, requestId: string) {
    const { internalSetSuspension } = await callInternal(this.#transport, setSuspension, { input }, requestId);
    return internalSetSuspension;
  }

  async announceGateway(input: { id: string; shared: boolean; running: boolean }, requestId: string) {
    const { internalAnnounceGateway } = await callInternal(this.#transport, announceGateway, { input }, requestId);
    return internalAnnounceGateway;
  }
}
