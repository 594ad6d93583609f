/**
 * Who may have which handle, kept true while processes race and die.
 *
 * Taking a handle is three writes: the handle's document is reserved (`pending`), the owner's document is changed on
 * condition of its `rev`, and the reservation is ended. The second write decides. Whoever ends a reservation in another's
 * place first raises the owner's `rev`, so that a maker who was only slow cannot decide afterwards: an owner never has
 * a handle whose document is gone or another's.
 */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { HANDLE_HOLD_DAYS } from '../rules.js';
import { DAY_MS, plus } from '../time.js';
import type { HandleDoc, HandleOwner, HandleOwnerType, OwnerDoc, PendingChange } from './handle.model.js';

export interface Reservation extends HandleOwner {
  handle: string;
  pending: PendingChange;
}

export interface HandleRegisterDeps {
  handles: Collection<HandleDoc>;
  owners: Record<HandleOwnerType, Collection<OwnerDoc>>;
  /** Ends what depended on a team that is gone. Must be idempotent. */
  teamGone: (teamId: string) => Promise<void>;
  log: Logger;
  now: () => Date;
}

interface Ending {
  $set?: { heldUntil: Date };
  $unset: { pending: 1; heldUntil?: 1 };
}

const TAKE_ATTEMPTS = 5;
const RECOVERY_BATCH = 200;
const NOT_SET = { $exists: false } as const;

export class HandleRegister {
  readonly #handles: Collection<HandleDoc>;
  readonly #owners: HandleRegisterDeps['owners'];
  readonly #teamGone: HandleRegisterDeps['teamGone'];
  readonly #log: Logger;
  readonly #now: () => Date;

  constructor({ handles, owners, teamGone, log, now }: HandleRegisterDeps) {
    this.#handles = handles;
    this.#owners = owners;
    this.#teamGone = teamGone;
    this.#log = log;
    this.#now = now;
  }

  /** Reserves a handle that is free, or the owner's own. Afterwards `confirm` or `settle` must follow. */
  async reserve(handle: string, owner: HandleOwner, ownerRev: number): Promise<Reservation> {
    const at = this.#now();
    const pending: PendingChange = { change: 'TAKE', token: newId(), at };
    const doc: HandleDoc = { _id: handle, ...owner, claimedAt: at, ownerRev, pending };
    for (let attempt = 0; attempt < TAKE_ATTEMPTS; attempt++) {
      if (await this.#insert(doc)) return { handle, ...owner, pending };
      const found = await this.#handles.findOne({ _id: handle });
      if (!found) continue;
      const reserved = found.ownerId === owner.ownerId ? await this.#reserveOwn(doc) : await this.#takeOver(found, doc);
      if (reserved) return { handle, ...owner, pending };
    }
    throw new Problem('handle_taken');
  }

  /** Marks a team's handle as being given up. */
  async beginRelease(handle: string, owner: HandleOwner): Promise<Reservation> {
    const pending: PendingChange = { change: 'RELEASE', token: newId(), at: this.#now() };
    await this.#handles.updateOne({ _id: handle, ownerId: owner.ownerId }, { $set: { pending } });
    return { handle, ...owner, pending };
  }

  /** After the owner's document has the handle. When the reservation was ended by others, they saw that too. */
  async confirm({ handle, pending }: Reservation, ownerRev: number): Promise<void> {
    await this.#end(handle, pending, ownerRev, { $unset: { pending: 1, heldUntil: 1 } });
  }

  /** After the owner's document has given the handle up: nobody else gets it before the hold ends. */
  async hold(handle: string, ownerId: string, heldUntil: Date, ownerRev: number): Promise<void> {
    await this.#handles.updateOne(
      { _id: handle, ownerId, ownerRev: { $lt: ownerRev } },
      { $set: { heldUntil, ownerRev } },
    );
  }

  /** Ends a reservation according to what the owner's document says now. */
  async settle({ handle, ownerType, ownerId, pending }: Reservation): Promise<void> {
    const fenced = { returnDocument: 'after', projection: { handle: 1, rev: 1, formerHandles: 1 } } as const;
    const owner = await this.#owners[ownerType].findOneAndUpdate({ _id: ownerId }, { $inc: { rev: 1 } }, fenced);
    if (!owner) return this.#settleOrphan(handle, ownerId, pending);
    const former = owner.formerHandles ?? [];
    for (const other of former) {
      if (other.handle !== handle) await this.hold(other.handle, ownerId, other.heldUntil, owner.rev);
    }
    if (owner.handle === handle) {
      return this.#end(handle, pending, owner.rev, { $unset: { pending: 1, heldUntil: 1 } });
    }
    const held = former.find((entry) => entry.handle === handle);
    if (!held) return this.#drop(handle, pending);
    await this.#end(handle, pending, owner.rev, { $set: { heldUntil: held.heldUntil }, $unset: { pending: 1 } });
  }

  /** A team that was deleted, or whose making came to nothing. */
  async #settleOrphan(handle: string, ownerId: string, pending: PendingChange): Promise<void> {
    if (pending.change === 'TAKE') return this.#drop(handle, pending);
    await this.#teamGone(ownerId);
    const heldUntil = plus(pending.at, HANDLE_HOLD_DAYS * DAY_MS);
    await this.#end(handle, pending, Number.MAX_SAFE_INTEGER, { $set: { heldUntil }, $unset: { pending: 1 } });
  }

  /** Makes the document reflect the owner's revision, unless it reflects a later one already. */
  async #end(handle: string, { token }: PendingChange, ownerRev: number, update: Ending): Promise<void> {
    const mine = { _id: handle, 'pending.token': token };
    const { matchedCount } = await this.#handles.updateOne(
      { ...mine, ownerRev: { $lt: ownerRev } },
      { ...update, $set: { ...update.$set, ownerRev } },
    );
    if (matchedCount === 0) await this.#handles.updateOne(mine, { $unset: { pending: 1 } });
  }

  async #drop(handle: string, { token, at }: PendingChange): Promise<void> {
    const mine = { _id: handle, 'pending.token': token };
    const { deletedCount } = await this.#handles.deleteOne({ ...mine, stamped: NOT_SET });
    // A stamped handle stays its owner's, held or not.
    if (deletedCount === 0) {
      await this.#handles.updateOne(mine, { $set: { heldUntil: at }, $unset: { pending: 1 } });
    }
  }

  /** Settles what its maker left behind. */
  async recover(startedBefore: Date): Promise<void> {
    const abandoned = await this.#handles
      .find({ 'pending.at': { $lte: startedBefore } })
      .sort({ 'pending.at': 1 })
      .limit(RECOVERY_BATCH)
      .toArray();
    for (const { _id: handle, ownerType, ownerId, pending } of abandoned) {
      if (!pending) continue;
      try {
        await this.settle({ handle, ownerType, ownerId, pending });
      } catch (error) {
        this.#log.error({ err: error, handle }, 'handle not settled');
      }
    }
  }

  async #insert(doc: HandleDoc): Promise<boolean> {
    try {
      await this.#handles.insertOne(doc);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Also ends the claim of an earlier attempt by the same owner: whichever changes the owner's document has won. */
  async #reserveOwn({ _id, ownerId, pending }: HandleDoc): Promise<boolean> {
    const { matchedCount } = await this.#handles.updateOne({ _id, ownerId }, { $set: { pending } });
    return matchedCount === 1;
  }

  async #takeOver(found: HandleDoc, { _id, ...doc }: HandleDoc): Promise<boolean> {
    const { ownerType, ownerId, pending, heldUntil, stamped } = found;
    const now = this.#now();
    if (pending || stamped || !heldUntil || heldUntil > now) throw new Problem('handle_taken');
    const owner = await this.#owners[ownerType].findOne(
      { _id: ownerId },
      { projection: { handle: 1, formerHandles: 1 } },
    );
    const stillHeld = owner?.formerHandles?.some((former) => former.handle === _id && former.heldUntil > now);
    if (owner?.handle === _id || stillHeld) throw new Problem('handle_taken');
    const { matchedCount } = await this.#handles.replaceOne(
      { _id, ownerId, heldUntil, pending: NOT_SET, stamped: NOT_SET },
      doc,
    );
    return matchedCount === 1;
  }
}
