import type { Collection, Filter } from 'mongodb';
import { withFreeSlug } from '../workflow/slugs.js';
import type { HandOver, OwnedKind, OwnedThing, Ownerships, Standing } from './ownerships.js';

/** What a document needs to have, to change hands. */
export interface Owned {
  _id: string;
  ownerId: string;
  slug: string;
  /** How often it changed hands, or was kept from it; absent until then. */
  turnover?: number;
  /** Invitations that took effect and are not settled yet. */
  appliedInvitations?: string[];
}

export interface OwnedCollection {
  things: Collection<Owned>;
  /** What else a change of hands changes in a document of that kind. */
  also?(to: string): { $set?: object; $inc?: object; $pull?: object };
}

export class OwnershipService implements Ownerships {
  readonly #kinds: Readonly<Record<OwnedKind, OwnedCollection>>;

  constructor(kinds: Readonly<Record<OwnedKind, OwnedCollection>>) {
    this.#kinds = kinds;
  }

  async standing({ kind, id }: OwnedThing, invitationId: string): Promise<Standing | null> {
    const projection = { ownerId: 1, turnover: 1, appliedInvitations: 1 };
    const found = await this.#kinds[kind].things.findOne(existing(id), { projection });
    if (!found) return null;
    const { ownerId, turnover = 0, appliedInvitations = [] } = found;
    return { ownerId, turnover, applied: appliedInvitations.includes(invitationId) };
  }

  /** The slug is suffixed where the new owner has one like it: an accepted invitation must not fail for a name. */
  async handOver({ thing, invitationId, from, to, turnover }: HandOver): Promise<boolean> {
    const { things, also } = this.#kinds[thing.kind];
    const unchanged: Filter<Owned> = {
      _id: thing.id,
      ownerId: from,
      turnover: turnover === 0 ? { $exists: false } : turnover,
    };
    const found = await things.findOne(unchanged, { projection: { slug: 1 } });
    if (!found) return false;
    return withFreeSlug(found.slug, async (slug) => {
      const { $set, $inc, ...rest } = also?.(to) ?? {};
      const { matchedCount } = await things.updateOne(unchanged, {
        $set: { ownerId: to, slug, ...$set },
        $inc: { turnover: 1, ...$inc },
        $push: { appliedInvitations: invitationId },
        ...rest,
      });
      return matchedCount === 1;
    });
  }

  async fence({ kind, id }: OwnedThing, invitationId: string): Promise<boolean> {
    const { things } = this.#kinds[kind];
    const found = await things.findOneAndUpdate(
      existing(id),
      { $inc: { turnover: 1 } },
      { projection: { appliedInvitations: 1 } },
    );
    return found?.appliedInvitations?.includes(invitationId) ?? false;
  }

  async forget({ kind, id }: OwnedThing, invitationId: string): Promise<void> {
    await this.#kinds[kind].things.updateOne({ _id: id }, { $pull: { appliedInvitations: invitationId } });
  }
}

/** A tombstone has no owner. */
function existing(_id: string): Filter<Owned> {
  return { _id, ownerId: { $exists: true } };
}
