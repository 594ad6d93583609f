/** What an operator may do, served on a socket that only the operator can open. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import { Problem } from '../platform/errors.js';
import { createHttp, type HttpOptions } from '../platform/http.js';
import { UserId } from '../platform/ids.js';
import { checked } from '../platform/rules.js';
import type { AccountsClient, KnownUser } from '../subgraphs/accounts/client.js';
import type { AccountFacts, Act, BillingOperatorClient } from '../subgraphs/billing/operator-client.js';
import type { ImagesOperatorClient } from '../subgraphs/images/operator-client.js';

export interface AdminDeps {
  http: HttpOptions;
  accounts: AccountsClient;
  billing: BillingOperatorClient;
  images: ImagesOperatorClient;
  log: Logger;
}

type Body = Record<string, unknown>;

interface Command<T> {
  schema: z.ZodType<T>;
  run(input: T, requestId: string): Promise<Body>;
}

/** Types the body of a command by its schema; the table itself holds plain commands. */
function command<T>(schema: z.ZodType<T>, run: (input: T, requestId: string) => Promise<Body>): Command<unknown> {
  return { schema, run: (input, requestId) => run(input as T, requestId) };
}

/** Whom an act is about, who gives the command, and the id by which it is done once. */
const act = {
  user: z.string().min(1).max(400),
  act: z.string().max(100),
  operator: z.string().max(200).nullable(),
  reason: z.string().max(1000).nullable(),
};
const moment = z.iso.datetime().nullable();

export function createAdmin({ http, accounts, billing, images, log }: AdminDeps): FastifyInstance {
  const commands: Readonly<Record<string, Command<unknown>>> = {
    '/suspension': command(z.object({ ...act, suspended: z.boolean() }), async (input, requestId) => {
      const { suspended, reason } = input;
      return perform(suspended ? 'suspend' : 'reinstate', input, { reason }, requestId, async ({ userId }) => {
        await accounts.setSuspension({ userIdentifier: userId, suspended, reason }, requestId);
        return { suspended };
      });
    }),
    '/grant': command(
      z.object({ ...act, unit: z.enum(['CREDITS', 'USD_MICROS']), amount: z.int().min(1), expires: moment }),
      async (input, requestId) => {
        const { unit, amount, expires, reason } = input;
        return perform('grant', input, { unit, amount, expires, reason }, requestId, async (user, actId) => {
          const gift = { actId, unit, amount, expiresAt: expires === null ? null : new Date(expires), note: reason };
          return accountBody(await billing.give(user, gift, requestId));
        });
      },
    ),
    '/tier': command(z.object({ ...act, tier: z.enum(['hobby', 'pro']) }), async (input, requestId) => {
      const { tier, reason } = input;
      return perform('tier', input, { tier, reason }, requestId, async (user, actId) =>
        accountBody(await billing.setStanding(user, { actId, tier }, requestId)),
      );
    }),
    '/plan': command(
      z.object({ ...act, plan: z.enum(['free', 'pro', 'agency']), until: moment }),
      async (input, requestId) => {
        const { plan, until, reason } = input;
        return perform('plan', input, { plan, until, reason }, requestId, async (user, actId) => {
          const change = { actId, plan: plan.toUpperCase(), until: until === null ? null : new Date(until) };
          return accountBody(await billing.setStanding(user, change, requestId));
        });
      },
    ),
    '/account': command(z.object({ user: act.user }), async ({ user: named }, requestId) => {
      const user = await userNamed(named, requestId);
      return { ...userBody(user), ...accountBody(await billing.account(user, requestId)) };
    }),
    '/images-check': command(z.object({ mend: z.boolean() }), async ({ mend }, requestId) => {
      const objects = await images.check('objects', mend, requestId);
      const records = await images.check('images', mend, requestId);
      if (mend) log.warn({ objects, records, requestId }, 'an operator mended the bucket and its records');
      return { objects_without_record: objects, records_without_object: records, mended: mend };
    }),
    '/audit': command(
      z.object({ user: act.user.nullable(), limit: z.int().min(1).max(100), after: z.string().max(500).nullable() }),
      async ({ user, limit, after }, requestId) => {
        const userId = user === null ? null : (await userNamed(user, requestId)).userId;
        const page = await billing.acts({ userId, first: limit, after }, requestId);
        return { acts: page.acts.map(actBody), next_cursor: page.nextCursor };
      },
    ),
  };

  async function userNamed(identifier: string, requestId: string): Promise<KnownUser> {
    const user = await accounts.user(identifier, requestId);
    if (!user) throw new Problem('user_not_found');
    return user;
  }

  /** Puts the act on record, does it, and records what came of it. A repetition of one that is done answers that. */
  async function perform(
    kind: string,
    { user: named, act: id, operator }: { user: string; act: string; operator: string | null },
    details: Body,
    requestId: string,
    execute: (user: KnownUser, actId: string) => Promise<Body>,
  ): Promise<Body> {
    const user = await userNamed(named, requestId);
    const { userId } = user;
    const begun = await billing.beginAct({ id, kind, operator, userId, details }, requestId);
    if (begun.doneAt && begun.result) return { ...begun.result, act: begun.id, repeated: true };
    const result = { user_id: UserId.format(userId), ...(await execute(user, begun.id)) };
    await billing.finishAct({ id: begun.id, result }, requestId);
    log.warn({ act: begun.id, kind, operator, userId, details, requestId }, 'an operator acted on an account');
    return { ...result, act: begun.id };
  }

  const app = createHttp(http);
  for (const [path, { schema, run }] of Object.entries(commands)) {
    app.post(path, async (request) => run(checked(schema, request.body), request.id));
  }
  return app;
}

function userBody({ userId, email, handle, createdAt, suspended }: KnownUser): Body {
  return { user_id: UserId.format(userId), email, handle, created_at: createdAt, suspended };
}

const MICROS = 1_000_000;

function accountBody({ pots, owedUsdMicros, owedCredits, ...facts }: AccountFacts): Body {
  const left = (of: string) => pots.reduce((sum, { unit, remaining }) => sum + (unit === of ? remaining : 0), 0);
  return {
    plan: facts.plan,
    tier: facts.tier,
    given_plan: facts.givenPlan,
    given_until: facts.givenUntil,
    subscription_status: facts.subscriptionStatus,
    stripe_customer: facts.customerId,
    available_usd: left('usd_micros') / MICROS,
    available_credits: left('credits'),
    owed_usd: owedUsdMicros / MICROS,
    owed_credits: owedCredits,
    open_reservations: facts.openReservations,
    pots: pots.map(({ unit, kind, remaining, expiresAt }) => ({
      kind,
      ...(unit === 'credits' ? { credits: remaining } : { usd: remaining / MICROS }),
      expires_at: expiresAt,
    })),
  };
}

function actBody({ id, kind, operator, userId, details, begunAt, doneAt }: Act): Body {
  return {
    act: id,
    kind,
    operator,
    user_id: userId === null ? null : UserId.format(userId),
    details,
    begun_at: begunAt,
    done_at: doneAt,
  };
}
