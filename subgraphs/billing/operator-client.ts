/** What operators' commands ask of billing. */
import { z } from 'zod';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';

const ACCOUNT = `plan tier givenPlan givenUntil subscriptionStatus customerId pots { unit kind remaining expiresAt }
  owedUsdMicros owedCredits openReservations`;

const accountSchema = z.object({
  plan: z.string(),
  tier: z.string(),
  givenPlan: z.string().nullable(),
  givenUntil: z.coerce.date().nullable(),
  subscriptionStatus: z.string().nullable(),
  customerId: z.string().nullable(),
  pots: z.array(
    z.object({ unit: z.string(), kind: z.string(), remaining: z.number(), expiresAt: z.coerce.date().nullable() }),
  ),
  owedUsdMicros: z.number(),
  owedCredits: z.number(),
  openReservations: z.number(),
});

export type AccountFacts = z.infer<typeof accountSchema>;

const ACT = 'id kind operator userId details begunAt doneAt result';
const open = z.record(z.string(), z.unknown());

const actSchema = z.object({
  id: z.string(),
  kind: z.string(),
  operator: z.string().nullable(),
  userId: z.string().nullable(),
  details: open,
  begunAt: z.coerce.date(),
  doneAt: z.coerce.date().nullable(),
  result: open.nullable(),
});

export type Act = z.infer<typeof actSchema>;

export interface ActToBegin {
  id: string;
  kind: string;
  operator: string | null;
  userId: string | null;
  details: Record<string, unknown>;
}

const beginAct: InternalCall<{ internalBeginAct: Act }> = {
  query: `mutation InternalBeginAct($input: InternalActInput!) { internalBeginAct(input: $input) { ${ACT} } }`,
  result: z.object({ internalBeginAct: actSchema }),
};

const finishAct: InternalCall<{ internalFinishAct: boolean }> = {
  query: 'mutation InternalFinishAct($input: InternalFinishActInput!) { internalFinishAct(input: $input) }',
  result: z.object({ internalFinishAct: z.boolean() }),
};

const actPage = z.object({ acts: z.array(actSchema), nextCursor: z.string().nullable() });

const acts: InternalCall<{ internalActs: z.infer<typeof actPage> }> = {
  query: `query InternalActs($userId: ID, $first: Int, $after: String) {
    internalActs(userId: $userId, first: $first, after: $after) { acts { ${ACT} } nextCursor }
  }`,
  result: z.object({ internalActs: actPage }),
};

const give: InternalCall<{ internalGive: AccountFacts }> = {
  query: `mutation InternalGive($input: InternalGiveInput!) { internalGive(input: $input) { ${ACCOUNT} } }`,
  result: z.object({ internalGive: accountSchema }),
};

const setStanding: InternalCall<{ internalSetStanding: AccountFacts }> = {
  query: `mutation InternalSetStanding($input: InternalStandingInput!) {
    internalSetStanding(input: $input) { ${ACCOUNT} }
  }`,
  result: z.object({ internalSetStanding: accountSchema }),
};

const account: InternalCall<{ internalAccount: AccountFacts }> = {
  query: `query InternalAccount($holder: InternalHolderInput!) { internalAccount(holder: $holder) { ${ACCOUNT} } }`,
  result: z.object({ internalAccount: accountSchema }),
};

export interface Holder {
  userId: string;
  createdAt: Date;
}

export class BillingOperatorClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  async beginAct(input: ActToBegin, requestId: string): Promise<Act> {
    return (await callInternal(this.#transport, beginAct, { input }, requestId)).internalBeginAct;
  }

  async finishAct(input: { id: string; result: Record<string, unknown> }, requestId: string): Promise<void> {
    await callInternal(this.#transport, finishAct, { input }, requestId);
  }

  async acts(page: { userId: string | null; first: number | null; after: string | null }, requestId: string) {
    return (await callInternal(this.#transport, acts, page, requestId)).internalActs;
  }

  async give(
    { userId, createdAt }: Holder,
    gift: {
      actId: string;
      unit: 'CREDITS' | 'USD_MICROS';
      amount: number;
      expiresAt: Date | null;
      note: string | null;
    },
    requestId: string,
  ): Promise<AccountFacts> {
    const input = { userId, createdAt, ...gift };
    return (await callInternal(this.#transport, give, { input }, requestId)).internalGive;
  }

  async setStanding(
    { userId, createdAt }: Holder,
    change: { actId: string; tier?: string; plan?: string; until?: Date | null },
    requestId: string,
  ): Promise<AccountFacts> {
    const input = { userId, createdAt, ...change };
    return (await callInternal(this.#transport, setStanding, { input }, requestId)).internalSetStanding;
  }

  async account({ userId, createdAt }: Holder, requestId: string): Promise<AccountFacts> {
    return (await callInternal(this.#transport, account, { holder: { userId, createdAt } }, requestId)).internalAccount;
  }
}
