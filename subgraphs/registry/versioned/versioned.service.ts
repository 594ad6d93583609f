/** Things that are deployed under a name, version by version. Generators and verifiers are two uses of it. */
import DataLoader from 'dataloader';
import type { Collection, Db, Filter, UpdateFilter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import {
  decodeCursor,
  encodeCursor,
  findPage,
  type Page,
  type PageRequest,
  pageOf,
  pageSize,
} from '../../../platform/mongo/page.js';
import { itemsOfOwners, type PageLoader, pageLoader } from '../../../platform/mongo/pages-by-owner.js';
import { type CollectionDefinition, isDuplicateKey } from '../../../platform/mongo/store.js';
import { randomToken } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { configHash } from './canonical.js';
import type { LiveReferences } from './live-references.js';
import {
  type ThingDocument,
  type TombstoneDocument,
  type Version,
  type VersionDocument,
  VersionedStatus,
  versionId,
} from './versioned.model.js';

export interface VersionedDeps {
  db: Db;
  /** As callers are told of it: "image generator". */
  noun: string;
  things: CollectionDefinition;
  versions: CollectionDefinition;
  /** Names that the platform's own things have. */
  reservedNames: ReadonlySet<string>;
  references: Pick<LiveReferences, 'include'>;
  /** Erases what was recorded of a thing's use, apart from what is under way; true when nothing is left. */
  eraseRuns(thingId: string): Promise<boolean>;
  now: () => Date;
}

export interface Deploy<C> {
  name: string;
  description: string;
  /** What the version pins, checked. Nothing is written if it is not right. */
  config: C;
  expectedVersionToken: string | null;
}

export type Loader<C> = DataLoader<string, ThingDocument<C> | null>;

const COPIES = 200;
// Each failed attempt to erase means that somebody began to publish what runs the thing, and gave it up.
const ERASE_ATTEMPTS = 20;
const NAME_LENGTH = 128;
const SWEEP_MS = 60_000;
const SWEPT_AT_ONCE = 100;
// Longer than any run or deploy that read the thing before it was erased.
const TOMBSTONE_MS = 60 * 60_000;

export class VersionedService<C extends object> {
  readonly #deps: VersionedDeps;
  readonly #things: Collection<ThingDocument<C>>;
  readonly #lookups: Lookups<ThingDocument<C>>;
  readonly #tombstones: Collection<TombstoneDocument>;
  readonly #versions: Collection<VersionDocument<C>>;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: VersionedDeps) {
    this.#deps = deps;
    this.#things = deps.db.collection<ThingDocument<C>>(deps.things.name);
    this.#lookups = new Lookups(this.#things);
    this.#tombstones = deps.db.collection<TombstoneDocument>(deps.things.name);
    this.#versions = deps.db.collection<VersionDocument<C>>(deps.versions.name);
    this.tasks = [{ name: `${deps.things.name}-erased`, everyMs: SWEEP_MS, run: () => this.sweepErased() }];
  }

  /** Makes version 1 of a new name, or the next version of an existing one. */
  async deploy(ownerId: string, { expectedVersionToken, ...wanted }: Deploy<C>): Promise<ThingDocument<C>> {
    if (this.#deps.reservedNames.has(wanted.name)) {
      throw new Problem(
        'conflict',
        `The name "${wanted.name}" is reserved for the platform's own ${this.#deps.noun}s.`,
      );
    }
    const existing = await this.named(ownerId, wanted.name);
    if (existing) return this.#redeploy(existing, wanted, expectedVersionToken);
    if (expectedVersionToken !== null) {
      throw this.#conflict(`There is no ${this.#deps.noun} of that name: leave expected_version_token out.`, null);
    }
    return this.#first(ownerId, wanted);
  }

  async #first(ownerId: string, wanted: Omit<Deploy<C>, 'expectedVersionToken'>): Promise<ThingDocument<C>> {
    const thing = firstOf(newId(), ownerId, wanted, this.#deps.now());
    try {
      await this.#things.insertOne(thing as never);
      return thing;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw await this.#lost(ownerId, wanted.name);
    }
  }

  async #redeploy(
    existing: ThingDocument<C>,
    wanted: Omit<Deploy<C>, 'expectedVersionToken'>,
    token: string | null,
  ): Promise<ThingDocument<C>> {
    const { _id, ownerId, name, current, versionToken } = existing;
    if (existing.status !== VersionedStatus.ACTIVE || token !== versionToken) throw this.#refusal(existing);
    await this.#keep(_id, current);
    const at = this.#deps.now();
    const moved = (await this.#things.findOneAndUpdate(
      { _id, status: VersionedStatus.ACTIVE, versionToken } as Filter<ThingDocument<C>>,
      {
        $set: { current: versionOf(current.version + 1, wanted, at), versionToken: randomToken(), updatedAt: at },
      } as UpdateFilter<ThingDocument<C>>,
      { returnDocument: 'after' },
    )) as ThingDocument<C> | null;
    if (!moved) throw await this.#lost(ownerId, name);
    return moved;
  }

  /**
   * A thing of its own that is set up like somebody else's, under the first free name. The id is chosen by whoever asks,
   * so that asking again makes no second one, and what is left of a dead attempt can be found.
   */
  async copy(ownerId: string, _id: string, { name, ...version }: Omit<Deploy<C>, 'expectedVersionToken'>) {
    for (let nth = 1; nth <= COPIES; nth++) {
      const suffix = nth === 1 ? '' : `-${nth}`;
      const free = `${name.slice(0, NAME_LENGTH - suffix.length)}${suffix}`;
      if (this.#deps.reservedNames.has(free)) continue;
      try {
        await this.#things.insertOne(firstOf(_id, ownerId, { name: free, ...version }, this.#deps.now()) as never);
        return;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        if (await this.#things.findOne({ _id } as Filter<ThingDocument<C>>, { projection: { _id: 1 } })) return;
      }
    }
    throw new Problem('conflict', `You have too many ${this.#deps.noun}s of the name ${name}.`);
  }

  /** Before a version is replaced its copy is kept. Racing deployers keep the same one. */
  async #keep(thingId: string, current: Version<C>): Promise<void> {
    const kept: VersionDocument<C> = { _id: versionId(thingId, current.version), thingId, ...current };
    try {
      await this.#versions.insertOne(kept as never);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  async #lost(ownerId: string, name: string): Promise<Problem> {
    const winner = await this.named(ownerId, name);
    return winner ? this.#refusal(winner) : this.#conflict(`The ${this.#deps.noun} was erased in the meantime.`, null);
  }

  #refusal({ status, versionToken }: ThingDocument<C>): Problem {
    if (status === VersionedStatus.REVOKED) {
      return new Problem('conflict', `A revoked ${this.#deps.noun} has that name. Deploy under another one.`);
    }
    return this.#conflict(
      'expected_version_token must be the token of the latest deploy; it was left out or has been replaced.',
      versionToken,
    );
  }

  #conflict(message: string, token: string | null): Problem {
    return new Problem('conflict', message, { extra: { current_version_token: token } });
  }

  /** What an owner has under a name, revoked or not. */
  named(ownerId: string, name: string): Promise<ThingDocument<C> | null> {
    return this.#things.findOne({ ownerId, name } as Filter<ThingDocument<C>>) as Promise<ThingDocument<C> | null>;
  }

  /** What an owner has under a name, unless it is revoked. */
  async byName(ownerId: string, name: string): Promise<ThingDocument<C> | null> {
    const thing = await this.named(ownerId, name);
    return thing?.status === VersionedStatus.ACTIVE ? thing : null;
  }

  /** Whoever owns them, revoked ones too: who may see what is decided by the asker. */
  loader(): Loader<C> {
    return new DataLoader(async (ids) => {
      const found = await Promise.all(ids.map((id) => this.#lookups.find(id)));
      // An erased one has nobody.
      return found.map((thing) => (thing && 'ownerId' in thing ? thing : null));
    });
  }

  list(ownerId: string, page: PageRequest): Promise<Page<ThingDocument<C>>> {
    const filter = { ownerId, status: VersionedStatus.ACTIVE } as Filter<ThingDocument<C>>;
    return findPage(this.#things as never, filter as never, page) as unknown as Promise<Page<ThingDocument<C>>>;
  }

  /** The current version when none is named; null for one that was never deployed. */
  async version({ _id, current }: ThingDocument<C>, version: number | null): Promise<Version<C> | null> {
    if (version === null || version === current.version) return current;
    if (version > current.version) return null;
    const filter = { _id: versionId(_id, version) } as Filter<VersionDocument<C>>;
    return (await this.#versions.findOne(filter)) as Version<C> | null;
  }

  /** All versions of each thing, newest first. */
  versionPages(things: Loader<C>): PageLoader<Version<C>> {
    return pageLoader(async (ids, request) => {
      const found = (await things.loadMany([...ids])).flatMap((thing) =>
        thing === null || thing instanceof Error ? [] : [thing],
      );
      return this.#versionsOf(found, request);
    });
  }

  async #versionsOf(things: readonly ThingDocument<C>[], request: PageRequest): Promise<Map<string, Page<Version<C>>>> {
    const size = pageSize(request);
    const below = request.after ? readVersionCursor(request.after) : null;
    const kept = await itemsOfOwners<Version<C>>(
      things.map(({ _id }) => _id),
      {
        owners: this.#deps.db.collection(this.#deps.things.name),
        items: this.#deps.versions.name,
        ownerField: 'thingId',
        sortField: 'version',
        below,
        // One for the next page, one for a copy of the current version.
        limit: size + 2,
      },
    );
    return new Map(
      things.map(({ _id, current }) => {
        const older = (kept.get(_id) ?? []).filter(({ version }) => version < current.version);
        const first = below === null || current.version < below ? [current] : [];
        return [_id, pageOf([...first, ...older], size, ({ version }) => encodeCursor(String(version)))];
      }),
    );
  }

  /** For good. Revoking what is revoked changes nothing. */
  async revoke(ownerId: string, _id: string): Promise<void> {
    const { matchedCount } = await this.#things.updateOne(
      { _id, ownerId } as Filter<ThingDocument<C>>,
      { $set: { status: VersionedStatus.REVOKED } } as UpdateFilter<ThingDocument<C>>,
    );
    if (matchedCount === 0) throw this.notFound();
  }

  /** Erases the thing, revoked or not, with its versions and runs. Its name is free again. */
  async erase(ownerId: string, _id: string): Promise<void> {
    const filter = { _id, ownerId } as Filter<ThingDocument<C>>;
    const tombstone = [{ $replaceWith: { _id: '$_id', status: 'erased', erasedAt: this.#deps.now() } }];
    for (let attempt = 0; attempt < ERASE_ATTEMPTS; attempt++) {
      const thing = await this.#things.findOne(filter, { projection: { claims: 1 } });
      if (!thing) throw this.notFound();
      await this.#requireUnpublished(_id);
      // Whoever claimed it before that look was seen; whoever does after it has raised this number, or finds a tombstone.
      const unclaimed = { ...filter, claims: thing.claims ?? { $exists: false } } as Filter<ThingDocument<C>>;
      const { matchedCount } = await this.#things.updateOne(unclaimed, tombstone);
      if (matchedCount === 0) continue;
      await this.#eraseRest(_id);
      return;
    }
    throw new Problem('unavailable', `Many publish what uses this ${this.#deps.noun}. Try again.`);
  }

  async #requireUnpublished(_id: string): Promise<void> {
    const inclusion = await this.#deps.references.include(_id);
    if (inclusion === null) return;
    const [message, hint] =
      inclusion === 'live'
        ? ['A live published template uses this', 'Unpublish the template versions that use it, then retry.']
        : ['A template is being published that uses this', 'Retry in a moment; after a crash it can take an hour.'];
    throw new Problem('conflict', `${message} ${this.#deps.noun}.`, { hint });
  }

  /** For whoever has left word, where `references` looks, that they are about to publish what runs it. False: it is gone. */
  async claimed(_id: string): Promise<boolean> {
    const { matchedCount } = await this.#things.updateOne(
      { _id, ownerId: { $exists: true } } as Filter<ThingDocument<C>>,
      { $inc: { claims: 1 } } as unknown as UpdateFilter<ThingDocument<C>>,
    );
    return matchedCount > 0;
  }

  /** The same for a copy that came to nothing: it need not be there, and stays where somebody published it meanwhile. */
  async drop(ownerId: string, _id: string): Promise<void> {
    await this.erase(ownerId, _id).catch((error: unknown) => {
      if (!(error instanceof Problem && ['not_found', 'conflict'].includes(error.slug))) throw error;
    });
  }

  async #eraseRest(thingId: string): Promise<boolean> {
    await this.#versions.deleteMany({ thingId } as Filter<VersionDocument<C>>);
    return this.#deps.eraseRuns(thingId);
  }

  /** Finishes erasures that died half-way, and takes away what runs and deploys wrote that were under way. */
  async sweepErased(): Promise<void> {
    const dropBefore = new Date(this.#deps.now().getTime() - TOMBSTONE_MS);
    // All of them: what is swept stays for a while, and must not stand before what is not.
    const erased = this.#tombstones
      .find({ erasedAt: { $exists: true } })
      .sort({ erasedAt: 1 })
      .batchSize(SWEPT_AT_ONCE);
    for await (const { _id, erasedAt } of erased) {
      const nothingLeft = await this.#eraseRest(_id);
      if (nothingLeft && erasedAt <= dropBefore) await this.#tombstones.deleteOne({ _id });
    }
  }

  notFound(): Problem {
    return new Problem('not_found', `${this.#deps.noun} not found`);
  }
}

function firstOf<C>(
  _id: string,
  ownerId: string,
  { name, ...wanted }: Omit<Deploy<C>, 'expectedVersionToken'>,
  at: Date,
): ThingDocument<C> {
  return {
    _id,
    ownerId,
    name,
    status: VersionedStatus.ACTIVE,
    current: versionOf(1, wanted, at),
    versionToken: randomToken(),
    createdAt: at,
    updatedAt: at,
  };
}

function versionOf<C>(version: number, { description, config }: Pick<Deploy<C>, 'description' | 'config'>, at: Date) {
  return { version, description, config, configHash: configHash(config), createdAt: at };
}

function readVersionCursor(cursor: string): number {
  const version = Number(decodeCursor(cursor));
  if (!Number.isSafeInteger(version)) throw Problem.invalid('cursor', 'is not a cursor of this list');
  return version;
}
