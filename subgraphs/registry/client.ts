/** What other parts of the platform may ask of the registry. */
import { z } from 'zod';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';
import { newId } from '../../platform/ids.js';
import type { HandOver, OwnedThing, Ownerships, Standing } from './ownership/ownerships.js';

const standingOf: InternalCall<{ internalStanding: Standing | null }> = {
  query: `query InternalStanding($thing: InternalOwnedThingInput!, $invitationId: ID!) {
    internalStanding(thing: $thing, invitationId: $invitationId) { ownerId turnover applied }
  }`,
  result: z.object({
    internalStanding: z.object({ ownerId: z.string(), turnover: z.number(), applied: z.boolean() }).nullable(),
  }),
};

const payload = z.object({ applied: z.boolean() });

const handOver: InternalCall<{ internalHandOver: { applied: boolean } }> = {
  query: 'mutation InternalHandOver($input: InternalHandOverInput!) { internalHandOver(input: $input) { applied } }',
  result: z.object({ internalHandOver: payload }),
};

const fence: InternalCall<{ internalFenceOwnership: { applied: boolean } }> = {
  query: `mutation InternalFenceOwnership($input: InternalInvitedThingInput!) {
    internalFenceOwnership(input: $input) { applied }
  }`,
  result: z.object({ internalFenceOwnership: payload }),
};

const forget: InternalCall<{ internalForgetOwnership: { applied: boolean } }> = {
  query: `mutation InternalForgetOwnership($input: InternalInvitedThingInput!) {
    internalForgetOwnership(input: $input) { applied }
  }`,
  result: z.object({ internalForgetOwnership: payload }),
};

export class RegistryClient implements Ownerships {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  async standing(thing: OwnedThing, invitationId: string): Promise<Standing | null> {
    return (await this.#ask(standingOf, { thing, invitationId })).internalStanding;
  }

  async handOver(input: HandOver): Promise<boolean> {
    return (await this.#ask(handOver, { input })).internalHandOver.applied;
  }

  async fence(thing: OwnedThing, invitationId: string): Promise<boolean> {
    const input = { thing, invitationId };
    return (await this.#ask(fence, { input })).internalFenceOwnership.applied;
  }

  async forget(thing: OwnedThing, invitationId: string): Promise<void> {
    await this.#ask(forget, { input: { thing, invitationId } });
  }

  /** Invitations are settled in the background too, where no request has an id to hand on. */
  #ask<T>(call: InternalCall<T>, variables: Record<string, unknown>): Promise<T> {
    return callInternal(this.#transport, call, variables, newId());
  }
}
