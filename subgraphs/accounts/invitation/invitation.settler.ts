/** Brings accepted invitations to their end, here or after a crash, and does what else is due without a caller. */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import type { Mailer } from '../../../platform/mail.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { ABANDONED_AFTER_MS, MINUTE_MS, plus, SECOND_MS } from '../time.js';
import type { UserService } from '../user/user.service.js';
import type { Applier, Appliers } from './applier.js';
import { invitationMail } from './invitation.mail.js';
import { EXPIRE, type InvitationDoc, InvitationState } from './invitation.model.js';

export interface InvitationSettlerDeps {
  invitations: Collection<InvitationDoc>;
  appliers: Appliers;
  userService: UserService;
  mailer: Mailer;
  publicUrl: string;
  log: Logger;
  now: () => Date;
}

const BATCH = 100;
const { PENDING, ACCEPTED, CANCELLED } = InvitationState;

export class InvitationSettler {
  readonly #deps: InvitationSettlerDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: InvitationSettlerDeps) {
    this.#deps = deps;
    this.tasks = [
      { name: 'accounts-invitations', everyMs: 10 * SECOND_MS, run: () => this.#recover() },
      { name: 'accounts-invitation-mails', everyMs: 3 * SECOND_MS, run: () => this.#mail() },
      { name: 'accounts-invitation-expiry', everyMs: MINUTE_MS, run: () => this.#expire() },
    ];
  }

  /** Carries out an accepted invitation exactly once. Returns why it came to nothing, if it did. */
  async settle(invitation: InvitationDoc): Promise<Problem | null> {
    const { _id, kind, settling } = invitation;
    const applier = this.#deps.appliers[kind];
    if (settling === undefined) return null;
    if (settling === 'FORGET') return this.#forget(invitation, applier);
    if (settling === 'GIVE_UP') return this.#giveUp(invitation, applier);
    const obstacle = await applier.apply(invitation, () => this.#isOpen(_id));
    if (!obstacle) {
      await this.#step(_id, 'APPLY', { $set: { settling: 'FORGET' } });
    } else if (await this.#step(_id, 'APPLY', { $set: { settling: 'GIVE_UP', state: CANCELLED } })) {
      await this.#giveUp(invitation, applier);
    }
    const current = await this.#deps.invitations.findOne({ _id });
    if (current?.state === ACCEPTED) return this.#forget(current, applier);
    return obstacle ?? new Problem('conflict', 'The invitation could no longer take effect.');
  }

  async #isOpen(_id: string): Promise<boolean> {
    return (await this.#deps.invitations.findOne({ _id, settling: 'APPLY' }, { projection: { _id: 1 } })) !== null;
  }

  async #step(_id: string, settling: InvitationDoc['settling'], update: object): Promise<boolean> {
    const { matchedCount } = await this.#deps.invitations.updateOne({ _id, settling }, update);
    return matchedCount === 1;
  }

  async #forget(invitation: InvitationDoc, applier: Applier): Promise<null> {
    await applier.forget(invitation);
    await this.#step(invitation._id, 'FORGET', { $unset: { settling: 1 } });
    return null;
  }

  /** Another process may have applied the invitation after this one found that it could not be. */
  async #giveUp(invitation: InvitationDoc, applier: Applier): Promise<null> {
    const happened = await applier.fence(invitation);
    const end = happened ? { $set: { settling: 'FORGET', state: ACCEPTED } } : { $unset: { settling: 1 } };
    await this.#step(invitation._id, 'GIVE_UP', end);
    return null;
  }

  async #recover(): Promise<void> {
    const { invitations, log, now } = this.#deps;
    const unsettled = await invitations
      .find({ settling: { $exists: true }, resolvedAt: { $lte: plus(now(), -ABANDONED_AFTER_MS) } })
      .sort({ resolvedAt: 1 })
      .limit(BATCH)
      .toArray();
    for (const invitation of unsettled) {
      try {
        await this.settle(invitation);
      } catch (error) {
        log.error({ err: error, invitation: invitation._id }, 'invitation not settled');
      }
    }
  }

  /**
   * A mail is marked as sent after it left, so a crash sends it twice rather than never. This also is where an
   * invitation is found that was made while what it is about went away.
   */
  async #mail(): Promise<void> {
    const { invitations, mailer, log, now } = this.#deps;
    const due = await invitations
      .find({ mailDueAt: { $lte: now() } })
      .sort({ mailDueAt: 1 })
      .limit(BATCH)
      .toArray();
    if (due.length === 0) return;
    const judged = new Map<InvitationDoc, boolean>();
    await Promise.all(
      due.map(async (invitation) => {
        try {
          judged.set(invitation, !(await this.#cancelIfMoot(invitation)));
        } catch (error) {
          // What it is about cannot be looked at just now. The others do not wait for it.
          log.warn({ err: error, invitation: invitation._id }, 'the mail about an invitation is put off');
          await invitations.updateOne({ _id: invitation._id }, { $set: { mailDueAt: plus(now(), MINUTE_MS) } });
        }
      }),
    );
    await this.#send([...judged].flatMap(([invitation, stands]) => (stands ? [invitation] : [])));
    await mailer.drain();
    const done = [...judged.keys()].map(({ _id }) => _id);
    await invitations.updateMany({ _id: { $in: done } }, { $unset: { mailDueAt: 1 } });
  }

  /** Whether there is nothing to write about any more. */
  async #cancelIfMoot(invitation: InvitationDoc): Promise<boolean> {
    const { invitations, appliers, now } = this.#deps;
    if (invitation.state !== PENDING || invitation.expiresAt <= now()) return true;
    const obstacle = await appliers[invitation.kind].obstacle(invitation);
    // A full team may have room by the time of the answer.
    if (!obstacle || obstacle.slug === 'quota_exceeded') return false;
    await invitations.updateOne(
      { _id: invitation._id, state: PENDING },
      { $set: { state: CANCELLED, resolvedAt: now() } },
    );
    return true;
  }

  async #send(invitations: readonly InvitationDoc[]): Promise<void> {
    const { userService, mailer, publicUrl } = this.#deps;
    const ids = [...new Set(invitations.flatMap(({ parties }) => parties))];
    const users = new Map((await userService.byIds(ids)).flatMap((user) => (user ? [[user.userId, user]] : [])));
    for (const invitation of invitations) {
      const recipient = users.get(invitation.recipientId);
      const proposerHandle = users.get(invitation.proposerId)?.handle ?? null;
      if (recipient) mailer.send(invitationMail({ to: recipient.email, invitation, proposerHandle, publicUrl }));
    }
  }

  async #expire(): Promise<void> {
    const { invitations, now } = this.#deps;
    await invitations.updateMany({ state: PENDING, expiresAt: { $lte: now() } }, EXPIRE);
  }

  /** Nothing can be accepted of a resource that is gone. */
  async resourceGone(resourceId: string): Promise<void> {
    const { invitations, now } = this.#deps;
    await invitations.updateMany(
      { 'resource.id': resourceId, state: PENDING },
      { $set: { state: CANCELLED, resolvedAt: now() }, $unset: { mailDueAt: 1 } },
    );
  }
}
