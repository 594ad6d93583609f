import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../../../platform/events.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { Caller } from '../../../platform/scope.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { HANDLE_HOLD_DAYS, parseHandle, readHandle } from '../rules.js';
import { ABANDONED_AFTER_MS, DAY_MS, plus, SECOND_MS } from '../time.js';
import type { FormerHandle, UserDoc } from '../user/user.model.js';
import type { HandleDoc, HandleOwner, HandleOwnerType, OwnerDoc } from './handle.model.js';
import type { HandleRegister } from './handle.register.js';
import { checkRename, keptRenames } from './rename-limits.js';

export interface ResolvedHandle extends HandleOwner {
  /** The owner's handle now. */
  handle: string;
  /** Whether the owner was asked for by a handle that it gave up. */
  redirected: boolean;
}

export interface Rename {
  user: UserDoc;
  selfReclaim: boolean;
}

export interface HandleServiceDeps {
  users: Collection<UserDoc>;
  handles: Collection<HandleDoc>;
  owners: Record<HandleOwnerType, Collection<OwnerDoc>>;
  register: HandleRegister;
  reserved: ReadonlySet<string>;
  events: Events;
  now: () => Date;
}

type HandleChange = Pick<UserDoc, 'handle' | 'handleClaimedAt' | 'formerHandles' | 'renames'>;

// Every failed attempt means that another change of the same user went through.
const ATTEMPTS = 5;

export class HandleService {
  readonly #deps: HandleServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: HandleServiceDeps) {
    this.#deps = deps;
    this.tasks = [
      {
        name: 'accounts-handles',
        everyMs: 10 * SECOND_MS,
        run: () => deps.register.recover(plus(deps.now(), -ABANDONED_AFTER_MS)),
      },
    ];
  }

  /** The handle as it may be claimed by anybody at all. */
  claimable(text: string): string {
    const handle = parseHandle(text);
    if (this.#deps.reserved.has(handle)) throw new Problem('handle_reserved');
    return handle;
  }

  async claim({ userId }: Caller, text: string): Promise<UserDoc> {
    const handle = this.claimable(text);
    return this.#change(userId, handle, (user) => {
      if (user.handle !== null) throw new Problem('handle_already_claimed');
      return { handle, handleClaimedAt: this.#deps.now(), formerHandles: user.formerHandles, renames: user.renames };
    });
  }

  async rename({ userId }: Caller, text: string): Promise<Rename> {
    const handle = this.claimable(text);
    let selfReclaim = false;
    const user = await this.#change(userId, handle, (before) => {
      const now = this.#deps.now();
      if (before.handle === null) throw new Problem('handle_not_claimed');
      if (before.handle === handle) throw new Problem('conflict', 'That already is your handle.');
      const held = before.formerHandles.filter((former) => former.heldUntil > now);
      selfReclaim = held.some((former) => former.handle === handle);
      if (!selfReclaim) checkRename(before.renames, now);
      const left: FormerHandle = { handle: before.handle, heldUntil: plus(now, HANDLE_HOLD_DAYS * DAY_MS) };
      return {
        handle,
        handleClaimedAt: now,
        formerHandles: [...held.filter((former) => former.handle !== handle && former.handle !== left.handle), left],
        renames: selfReclaim ? before.renames : [...keptRenames(before.renames, now), now],
      };
    });
    return { user, selfReclaim };
  }

  async #change(userId: string, handle: string, decide: (user: UserDoc) => HandleChange): Promise<UserDoc> {
    const { users, register, events } = this.#deps;
    const owner: HandleOwner = { ownerType: 'USER', ownerId: userId };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await users.findOne({ _id: userId });
      if (!before) throw new Problem('auth_required');
      const change = decide(before);
      const reservation = await register.reserve(handle, owner, before.rev);
      const user = await users
        .findOneAndUpdate(
          { _id: userId, rev: before.rev },
          { $set: change, $inc: { rev: 1 } },
          { returnDocument: 'after' },
        )
        .catch(async (error: unknown) => {
          await register.settle(reservation);
          throw isDuplicateKey(error) ? new Problem('handle_taken') : error;
        });
      if (!user) {
        await register.settle(reservation);
        continue;
      }
      for (const former of user.formerHandles) {
        await register.hold(former.handle, userId, former.heldUntil, user.rev);
      }
      await register.confirm(reservation, user.rev);
      events.publish(IDENTITY_CHANGED, userId);
      return user;
    }
    throw new Problem('conflict', 'Your handle is being changed by another request. Try again.');
  }

  /** Whose a handle is, also by a handle that was given up less than 90 days ago. */
  async resolve(text: string): Promise<ResolvedHandle | null> {
    const asked = readHandle(text);
    const found = asked === null ? null : await this.#deps.handles.findOne({ _id: asked });
    if (!found) return null;
    const { ownerType, ownerId } = found;
    const owner = await this.#deps.owners[ownerType].findOne(
      { _id: ownerId },
      { projection: { handle: 1, formerHandles: 1 } },
    );
    if (!owner || owner.handle === null) return null;
    if (owner.handle === asked) return { ownerType, ownerId, handle: owner.handle, redirected: false };
    const now = this.#deps.now();
    const held = owner.formerHandles?.some((former) => former.handle === asked && former.heldUntil > now);
    return held ? { ownerType, ownerId, handle: owner.handle, redirected: true } : null;
  }

  /** From now on the handle never goes to another owner. */
  async stamp(text: string): Promise<HandleOwner & { handle: string }> {
    const handle = readHandle(text);
    const stamped =
      handle === null
        ? null
        : await this.#deps.handles.findOneAndUpdate(
            { _id: handle },
            { $set: { stamped: true } },
            { returnDocument: 'after', projection: { ownerType: 1, ownerId: 1 } },
          );
    if (!stamped) throw new Problem('not_found', 'Handle not found.');
    return { handle: stamped._id, ownerType: stamped.ownerType, ownerId: stamped.ownerId };
  }
}
