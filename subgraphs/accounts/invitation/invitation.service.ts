import type { Collection, Filter, UpdateFilter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId, PlainId, parseIdOr404 } from '../../../platform/ids.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Caller } from '../../../platform/scope.js';
import { DAY_MS, plus } from '../time.js';
import { collidesOn, withFreeSlot } from '../writes.js';
import type { Appliers } from './applier.js';
import {
  EXPIRE,
  type InvitationDoc,
  type InvitationKind,
  type InvitationResource,
  InvitationState,
} from './invitation.model.js';
import type { InvitationSettler } from './invitation.settler.js';

export interface InvitationServiceDeps {
  invitations: Collection<InvitationDoc>;
  appliers: Appliers;
  settler: InvitationSettler;
  invitationTtlDays: number;
  pendingInvitationsPerUser: number;
  now: () => Date;
}

export interface Proposal {
  kind: InvitationKind;
  resource: InvitationResource;
  proposerId: string;
  recipientId: string;
}

export type InvitationSide = 'RECEIVED' | 'SENT' | 'ALL';

const PARTY: Record<InvitationSide, (userId: string) => Filter<InvitationDoc>> = {
  RECEIVED: (userId) => ({ recipientId: userId }),
  SENT: (userId) => ({ proposerId: userId }),
  ALL: (userId) => ({ parties: userId }),
};

const { PENDING, ACCEPTED, DECLINED, CANCELLED, EXPIRED } = InvitationState;

export class InvitationService {
  readonly #deps: InvitationServiceDeps;

  constructor(deps: InvitationServiceDeps) {
    this.#deps = deps;
  }

  async list({ userId }: Caller, side: InvitationSide, pendingOnly: boolean, page: PageRequest) {
    const { invitations, now } = this.#deps;
    const pending = pendingOnly ? { state: PENDING, expiresAt: { $gt: now() } } : {};
    const found: Page<InvitationDoc> = await findPage(invitations, { ...PARTY[side](userId), ...pending }, page);
    return { ...found, items: found.items.map((invitation) => this.#asOfNow(invitation)) };
  }

  /** Null in place of invitations that are not there or that this user is not a party to. */
  async byIds(userId: string, ids: readonly string[]): Promise<(InvitationDoc | null)[]> {
    const found = await this.#deps.invitations.find({ _id: { $in: [...ids] }, parties: userId }).toArray();
    const byId = new Map(found.map((invitation) => [invitation._id, this.#asOfNow(invitation)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** An invitation that nobody answered in time is expired from that moment, whenever it is marked so. */
  #asOfNow(invitation: InvitationDoc): InvitationDoc {
    const { state, expiresAt } = invitation;
    if (state !== PENDING || expiresAt > this.#deps.now()) return invitation;
    return { ...invitation, state: EXPIRED, resolvedAt: expiresAt };
  }

  async propose({ kind, resource, proposerId, recipientId }: Proposal): Promise<InvitationDoc> {
    const { invitations, invitationTtlDays, pendingInvitationsPerUser, now } = this.#deps;
    const createdAt = now();
    const invitation: Omit<InvitationDoc, 'slot'> = {
      _id: newId(),
      kind,
      state: PENDING,
      resource,
      proposerId,
      recipientId,
      parties: [proposerId, recipientId],
      createdAt,
      expiresAt: plus(createdAt, invitationTtlDays * DAY_MS),
      resolvedAt: null,
      mailDueAt: createdAt,
    };
    const equal = { kind, 'resource.id': resource.id, recipientId };
    await this.#markExpired(equal);
    const insert = () =>
      withFreeSlot(invitations, { proposerId, state: PENDING }, pendingInvitationsPerUser, async (slot) => {
        const proposed: InvitationDoc = { ...invitation, slot };
        await invitations.insertOne(proposed).catch((error: unknown) => {
          throw collidesOn(error, 'recipientId') ? new Problem('invitation_already_pending') : error;
        });
        return proposed;
      });
    let proposed = await insert();
    if (proposed === 'full' && (await this.#markExpired({ proposerId })) > 0) proposed = await insert();
    if (proposed !== 'full') return proposed;
    throw new Problem('quota_exceeded', `An account can have ${pendingInvitationsPerUser} invitations pending.`, {
      hint: 'Cancel some, or wait until they are answered.',
    });
  }

  async #markExpired(which: Filter<InvitationDoc>): Promise<number> {
    const { modifiedCount } = await this.#deps.invitations.updateMany(
      { ...which, state: PENDING, expiresAt: { $lte: this.#deps.now() } },
      EXPIRE,
    );
    return modifiedCount;
  }

  async accept(caller: Caller, id: string): Promise<InvitationDoc> {
    const invitation = await this.#answerable(caller, id, 'recipientId', 'Only the recipient may accept.');
    const applier = this.#deps.appliers[invitation.kind];
    const obstacle = await applier.obstacle(invitation);
    if (obstacle) {
      await this.#resolve(invitation, CANCELLED);
      throw obstacle;
    }
    const accepted = await this.#resolve(invitation, ACCEPTED);
    const failure = await this.#deps.settler.settle(accepted);
    if (failure) throw failure;
    return accepted;
  }

  async decline(caller: Caller, id: string): Promise<InvitationDoc> {
    const invitation = await this.#answerable(caller, id, 'recipientId', 'Only the recipient may decline.');
    return this.#resolve(invitation, DECLINED);
  }

  async cancel(caller: Caller, id: string): Promise<InvitationDoc> {
    const invitation = await this.#answerable(caller, id, 'proposerId', 'Only the proposer may cancel.');
    return this.#resolve(invitation, CANCELLED);
  }

  async #answerable(
    { userId }: Caller,
    id: string,
    party: 'recipientId' | 'proposerId',
    refusal: string,
  ): Promise<InvitationDoc> {
    const _id = parseIdOr404(PlainId, id, 'Invitation');
    const [invitation] = await this.byIds(userId, [_id]);
    if (!invitation) throw notFound();
    if (invitation[party] !== userId) throw new Problem('forbidden', refusal);
    assertPending(invitation);
    return invitation;
  }

  /** Of several answers one gets through. */
  async #resolve({ _id }: InvitationDoc, state: InvitationState): Promise<InvitationDoc> {
    const { invitations, now } = this.#deps;
    const resolvedAt = now();
    const update: UpdateFilter<InvitationDoc> = {
      $set: { state, resolvedAt, ...(state === ACCEPTED && { settling: 'APPLY' as const }) },
      $unset: { mailDueAt: 1 },
    };
    const resolved = await invitations.findOneAndUpdate(
      { _id, state: PENDING, expiresAt: { $gt: resolvedAt } },
      update,
      {
        returnDocument: 'after',
      },
    );
    if (resolved) return resolved;
    const current = await invitations.findOne({ _id });
    if (current) assertPending(this.#asOfNow(current));
    throw new Problem('invitation_already_resolved');
  }
}

function assertPending({ state }: InvitationDoc): void {
  if (state === EXPIRED) throw new Problem('invitation_expired');
  if (state !== PENDING) throw new Problem('invitation_already_resolved');
}

function notFound(): Problem {
  return new Problem('not_found', 'Invitation not found.');
}
