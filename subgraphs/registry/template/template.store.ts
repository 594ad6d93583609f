/**
 * Templates and their versions, kept true while processes race and die. A publish writes everything that belongs to the
 * version first, then makes it a version by one update of the template, which is conditional on its `rev`. The sweeper
 * raises `rev` before it takes away what was not named in time, so that a publish that was only slow cannot name it after.
 *
 * What a publish writes first claims the things that it runs, and only then are they told. An erasure of one looks at the
 * thing, then at claims, then at what is live, and takes effect only on a thing that was not told of a claim since.
 */
import type { Collection, Db, Filter, UpdateFilter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { type Bundles, describedFiles } from '../workflow/bundle.js';
import type { ReadFile } from '../workflow/bundle.rules.js';
import { searchWords } from '../workflow/workflow.rules.js';
import { nounOf, type Setup } from './freezer.js';
import { templateNotFound } from './template.access.js';
import {
  type LiveVersion,
  type SnapshotDocument,
  snapshotId,
  TEMPLATE_SNAPSHOTS,
  TEMPLATE_VERSIONS,
  TEMPLATES,
  type TemplateDocument,
  TemplateStatus,
  type TemplateSummary,
  type TemplateTombstone,
  type TemplateVersionDocument,
} from './template.model.js';

export interface TemplateStoreDeps {
  db: Db;
  bundles: Bundles;
  /** Ends what depended on a template that is gone. Must be idempotent. */
  gone(templateId: string): Promise<void>;
  /** Tells a thing that a claim to it stands, so that its erasure looks again; false when it is gone. */
  told(setup: Setup): Promise<boolean>;
  now: () => Date;
}

/** What is published, but for its place among the versions. */
export interface Draft {
  ownerId: string;
  slug: string;
  content: Omit<
    TemplateVersionDocument,
    | '_id'
    | 'templateId'
    | 'version'
    | 'files'
    | 'publishedAt'
    | 'unpublishedAt'
    | 'deprecatedAt'
    | 'deprecationMessage'
    | 'pendingUntil'
    | 'claims'
  >;
  files: readonly ReadFile[];
  setups: readonly Setup[];
}

export interface Published {
  template: TemplateDocument;
  content: TemplateVersionDocument;
}

const SWEEP_MS = 60_000;
const SWEPT_AT_ONCE = 50;
// Longer than any publish lasts.
const UNDER_WAY_MS = 60 * 60_000;
// Each failed attempt means that another change went through.
const ATTEMPTS = 50;
const SLUGS = 200;
const SLUG_LENGTH = 100;
export const MAX_LIVE = 200;
/** What is taken off the content of a version once the template has named it. */
const CONFIRMED = { pendingUntil: 1, claims: 1 } as const;

export class TemplateStore {
  readonly #deps: TemplateStoreDeps;
  readonly #templates: Collection<TemplateDocument>;
  readonly #tombstones: Collection<TemplateTombstone>;
  readonly #versions: Collection<TemplateVersionDocument>;
  readonly #snapshots: Collection<SnapshotDocument>;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: TemplateStoreDeps) {
    this.#deps = deps;
    this.#templates = deps.db.collection<TemplateDocument>(TEMPLATES.name);
    this.#tombstones = deps.db.collection<TemplateTombstone>(TEMPLATES.name);
    this.#versions = deps.db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name);
    this.#snapshots = deps.db.collection<SnapshotDocument>(TEMPLATE_SNAPSHOTS.name);
    this.tasks = [
      { name: 'registry-unfinished-templates', everyMs: SWEEP_MS, run: () => this.sweepPending() },
      { name: 'registry-erased-templates', everyMs: SWEEP_MS, run: () => this.sweepErased() },
      { name: 'registry-loose-template-files', everyMs: SWEEP_MS, run: () => this.sweepLoose() },
    ];
  }

  find(_id: string): Promise<TemplateDocument | null> {
    return this.#templates.findOne({ _id, ownerId: { $exists: true } });
  }

  findBySlug(ownerId: string, slug: string): Promise<TemplateDocument | null> {
    return this.#templates.findOne({ ownerId, slug });
  }

  content(_id: string): Promise<TemplateVersionDocument | null> {
    return this.#versions.findOne({ _id });
  }

  /** A version that was published, whether or not it is live. */
  async version({ _id, live }: TemplateDocument, version: number): Promise<TemplateVersionDocument | null> {
    const entry = live.find((candidate) => candidate.version === version);
    if (entry) return this.content(entry.contentId);
    return this.#versions.findOne({ templateId: _id, version, pendingUntil: { $exists: false } });
  }

  newestVersion({ _id }: TemplateDocument): Promise<TemplateVersionDocument | null> {
    return this.#versions.findOne({ templateId: _id, pendingUntil: { $exists: false } }, { sort: { version: -1 } });
  }

  /** Newest first. Null as `live`: the unpublished ones too. */
  versions(templateId: string, live: readonly LiveVersion[], all: boolean, below: number | null, limit: number) {
    const known = { _id: { $in: live.map(({ contentId }) => contentId) } };
    return this.#versions
      .find({
        templateId,
        ...(below !== null && { version: { $lt: below } }),
        ...(all ? { $or: [known, { pendingUntil: { $exists: false } }] } : known),
      })
      .sort({ version: -1 })
      .limit(limit)
      .toArray();
  }

  snapshots(templateId: string, pins: readonly string[]): Promise<SnapshotDocument[]> {
    const ids = pins.map((pin) => snapshotId(templateId, pin));
    return this.#snapshots.find({ _id: { $in: ids } }).toArray();
  }

  /** `ready` is asked when nothing is left but to have it served, each time that is tried; when it throws, nothing is. */
  async publish(draft: Draft, ready: () => Promise<void>): Promise<Published> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const existing = await this.#ofWorkflow(draft);
      const content = await this.#claim(existing?._id ?? (await this.#mark()), draft);
      try {
        await this.#prepare(content, draft);
        const published = existing
          ? await this.#append(existing._id, draft, content, ready)
          : await this.#create(draft, content, ready);
        if (published) return published;
      } catch (error) {
        if (error instanceof Problem) await this.#discard(content);
        throw error;
      }
      await this.#discard(content);
    }
    throw busy();
  }

  /** Stands where a new template will be: without it there will be none, so it lasts no longer than a publish may. */
  async #mark(): Promise<string> {
    const _id = newId();
    await this.#tombstones.insertOne({ _id, erasedAt: this.#in(UNDER_WAY_MS), open: true });
    return _id;
  }

  /** What was prepared and came to nothing. Beside a template it waits for the sweeper: others may share parts of it. */
  async #discard({ _id, templateId }: TemplateVersionDocument): Promise<void> {
    await this.#versions.deleteOne({ _id, pendingUntil: { $exists: true } });
    const { matchedCount } = await this.#templates.updateOne(
      { _id: templateId, ownerId: { $exists: true } },
      this.#loosen(),
    );
    if (matchedCount > 0) return;
    await this.#end(templateId);
    await this.#snapshots.deleteMany({ templateId });
    await this.#deps.bundles.clearAll(templateId);
  }

  #loosen() {
    return { $set: { looseFrom: this.#in(UNDER_WAY_MS) } };
  }

  #ofWorkflow({ ownerId, content }: Draft): Promise<TemplateDocument | null> {
    return this.#templates.findOne({ workflowId: content.workflowId, ownerId });
  }

  async #claim(templateId: string, { content, files, setups }: Draft): Promise<TemplateVersionDocument> {
    const prepared: TemplateVersionDocument = {
      ...content,
      _id: newId(),
      templateId,
      version: 0,
      files: describedFiles(files),
      publishedAt: this.#deps.now(),
      unpublishedAt: null,
      deprecatedAt: null,
      deprecationMessage: null,
      pendingUntil: this.#in(UNDER_WAY_MS),
      claims: [...new Set(setups.map(({ pin }) => thingOf(pin)))],
    };
    await this.#versions.insertOne(prepared);
    return prepared;
  }

  async #prepare({ templateId }: TemplateVersionDocument, { files, setups }: Draft): Promise<void> {
    const at = this.#deps.now();
    for (const setup of setups) {
      if (await this.#deps.told(setup)) continue;
      throw new Problem('conflict', `The ${nounOf(setup)} "${setup.name}" was erased while it was being published.`, {
        hint: 'Save the workflow without it, then publish.',
      });
    }
    for (const { pin, ...setup } of setups) {
      const _id = snapshotId(templateId, pin);
      const snapshot = { ...setup, _id, templateId, writtenAt: at };
      await this.#snapshots.replaceOne({ _id }, snapshot, { upsert: true });
    }
    await this.#deps.bundles.put(templateId, files);
  }

  /** Gives what was prepared its number and more time. Throws when the sweeper has taken it away. */
  async #number(content: TemplateVersionDocument, version: number): Promise<TemplateVersionDocument> {
    const { _id } = content;
    const changes = { version, publishedAt: this.#deps.now(), pendingUntil: this.#in(UNDER_WAY_MS) };
    const { matchedCount } = await this.#versions.updateOne(
      { _id, pendingUntil: { $exists: true } },
      { $set: changes },
    );
    if (matchedCount === 0) throw tooLate();
    return { ...content, ...changes };
  }

  async #confirm({ _id }: TemplateVersionDocument): Promise<void> {
    await this.#versions.updateOne({ _id }, { $unset: CONFIRMED });
  }

  /** Null: another first publish of the workflow went through, and this one is to be the version after it. */
  async #create(
    { ownerId, slug, setups }: Draft,
    prepared: TemplateVersionDocument,
    ready: () => Promise<void>,
  ): Promise<Published | null> {
    const content = await this.#number(prepared, 1);
    const live = [liveVersion(content, setups)];
    const template: TemplateDocument = {
      _id: content.templateId,
      ownerId,
      slug,
      workflowId: content.workflowId,
      status: TemplateStatus.LIVE,
      rev: 1,
      lastVersion: 1,
      live,
      livePins: pinsOf(live),
      latest: summaryOf(content),
      listed: true,
      words: wordsOf(content),
      archivedAt: null,
      archiveReason: null,
      createdAt: content.publishedAt,
      updatedAt: content.publishedAt,
    };
    for (let nth = 1; nth <= SLUGS; nth++) {
      const suffix = nth === 1 ? '' : `-${nth}`;
      const named = { ...template, slug: `${slug.slice(0, SLUG_LENGTH - suffix.length)}${suffix}` };
      await ready();
      try {
        const marked = { _id: named._id, open: true } as Filter<TemplateDocument>;
        const { matchedCount } = await this.#templates.replaceOne(marked, named);
        if (matchedCount === 0) throw tooLate();
        await this.#confirm(content);
        return { template: named, content };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        if (await this.#templates.findOne({ workflowId: content.workflowId, ownerId })) return null;
        await this.#number(content, 1);
      }
    }
    throw new Problem('conflict', `You have too many templates of the slug ${slug}.`);
  }

  /** Null: the template was erased, and this one is to be the first version of another. */
  async #append(
    _id: string,
    { ownerId, setups }: Draft,
    prepared: TemplateVersionDocument,
    ready: () => Promise<void>,
  ): Promise<Published | null> {
    const changed = await this.#change({ _id, ownerId }, async (before) => {
      if (before.status === TemplateStatus.ARCHIVED) {
        throw new Problem('conflict', 'The template is archived.', { hint: 'Unarchive it, then publish.' });
      }
      if (before.live.length >= MAX_LIVE) {
        throw new Problem('quota_exceeded', `A template can have ${MAX_LIVE} live versions. Unpublish old ones first.`);
      }
      const content = await this.#number(prepared, before.lastVersion + 1);
      const live = [...before.live, liveVersion(content, setups)];
      const changes = { lastVersion: content.version, ...served(before.status, live, summaryOf(content)) };
      await ready();
      return { changes, value: content };
    });
    if (!changed) return null;
    const { template, value } = changed;
    await this.#confirm(value);
    return { template, content: value };
  }

  async #changeExisting<T>(filter: Owned, decide: Decision<T>): Promise<Changed<T>> {
    const changed = await this.#change(filter, decide);
    if (!changed) throw templateNotFound();
    return changed;
  }

  /** Decides anew, from the document as it is, until nobody changed it meanwhile. Null: there is none. */
  async #change<T>(filter: Owned, decide: Decision<T>): Promise<Changed<T> | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await this.#templates.findOne(filter);
      if (!before) return null;
      const { changes, value } = await decide(before);
      const { listed, ...fields } = changes;
      const update: UpdateFilter<TemplateDocument> = {
        $set: { ...fields, updatedAt: this.#deps.now(), ...(listed && { listed }) },
        $inc: { rev: 1 },
        ...(listed === null && { $unset: { listed: 1 } }),
      };
      const template = await this.#templates.findOneAndUpdate({ ...filter, rev: before.rev }, update, {
        returnDocument: 'after',
      });
      if (template) return { template, value };
    }
    throw busy();
  }

  /** Unpublishing what is not live changes nothing. */
  async unpublish({ _id, ownerId }: TemplateDocument, version: number): Promise<TemplateDocument> {
    const { template } = await this.#changeExisting({ _id, ownerId }, async (before) => {
      const entry = before.live.find((candidate) => candidate.version === version);
      if (!entry) {
        if (await this.version(before, version)) return { changes: {}, value: null };
        throw templateNotFound();
      }
      // First what tells it from what a dead process left: a moment later nothing else would.
      const unpublishedAt = this.#deps.now();
      await this.#versions.updateOne({ _id: entry.contentId }, { $set: { unpublishedAt }, $unset: CONFIRMED });
      const live = before.live.filter((candidate) => candidate !== entry);
      return { changes: served(before.status, live, await this.#latestOf(before, live)), value: null };
    });
    return template;
  }

  async #latestOf({ latest }: TemplateDocument, live: readonly LiveVersion[]): Promise<TemplateSummary> {
    const newest = live.at(-1);
    if (!newest || newest.contentId === latest.contentId) return latest;
    const content = await this.content(newest.contentId);
    if (!content) throw new Error(`the live version ${newest.version} of a template has no content`);
    return summaryOf(content);
  }

  async setStatus(
    { _id, ownerId }: TemplateDocument,
    status: TemplateStatus,
    reason: string | null,
  ): Promise<TemplateDocument> {
    const { template } = await this.#changeExisting({ _id, ownerId }, async (before) => {
      const { live, latest, archivedAt } = before;
      const archived = status === TemplateStatus.ARCHIVED;
      const changes = {
        status,
        archivedAt: archived ? (archivedAt ?? this.#deps.now()) : null,
        archiveReason: archived ? (reason ?? before.archiveReason) : null,
        ...served(status, live, latest),
      };
      return { changes, value: null };
    });
    return template;
  }

  async deprecate(template: TemplateDocument, version: number, message: string): Promise<TemplateVersionDocument> {
    const content = await this.version(template, version);
    const changes = { deprecatedAt: this.#deps.now(), deprecationMessage: message };
    const deprecated =
      content &&
      (await this.#versions.findOneAndUpdate({ _id: content._id }, { $set: changes }, { returnDocument: 'after' }));
    if (!deprecated) throw templateNotFound();
    return deprecated;
  }

  /** One that is not live. */
  async eraseVersion({ _id, ownerId }: TemplateDocument, version: number): Promise<void> {
    const { value: contentId } = await this.#changeExisting({ _id, ownerId }, async (before) => {
      const content = await this.version(before, version);
      if (!content) throw templateNotFound();
      if (before.live.some((entry) => entry.contentId === content._id)) {
        throw new Problem('conflict', 'The version is published.', { hint: 'Unpublish it, then retry.' });
      }
      const looseFrom = this.#in(UNDER_WAY_MS);
      return { changes: { looseFrom, ...(await this.#withoutErased(before, content._id)) }, value: content._id };
    });
    const { deletedCount } = await this.#versions.deleteOne({ _id: contentId, pendingUntil: { $exists: false } });
    if (deletedCount === 0) throw templateNotFound();
    // Another erasure may have fallen back on this one.
    await this.#change({ _id, ownerId }, async (before) => {
      return { changes: await this.#withoutErased(before, contentId), value: null };
    });
  }

  /** Nothing of what is erased may be left, not even in what lists would show. */
  async #withoutErased(before: TemplateDocument, contentId: string): Promise<Changes> {
    if (before.latest.contentId !== contentId) return {};
    const newest = await this.#versions.findOne(
      { templateId: before._id, _id: { $ne: contentId }, pendingUntil: { $exists: false } },
      { sort: { version: -1 } },
    );
    const latest = newest ? summaryOf(newest) : emptied(before);
    return { latest, words: wordsOf(latest) };
  }

  async erase({ _id, ownerId }: TemplateDocument): Promise<void> {
    const gate = { $or: [{ status: TemplateStatus.ARCHIVED }, { live: { $size: 0 } }] };
    const { matchedCount } = await this.#templates.updateOne({ _id, ownerId, ...gate } as Filter<TemplateDocument>, [
      { $replaceWith: { _id: '$_id', erasedAt: this.#deps.now() } },
    ]);
    if (matchedCount === 0) {
      if (!(await this.#templates.findOne({ _id, ownerId }, { projection: { _id: 1 } }))) throw templateNotFound();
      throw new Problem('conflict', 'The template has published versions.', {
        hint: 'Archive the template, or unpublish its versions, then retry.',
      });
    }
    await this.#eraseRest(_id);
  }

  async #eraseRest(templateId: string): Promise<void> {
    await this.#versions.deleteMany({ templateId });
    await this.#snapshots.deleteMany({ templateId });
    await this.#deps.gone(templateId);
    await this.#deps.bundles.clearAll(templateId);
  }

  /** Ends publishes that were not ended in time: confirms what took effect, takes away what did not. */
  async sweepPending(): Promise<void> {
    const overdue = await this.#versions
      .find({ pendingUntil: { $lte: this.#deps.now() } })
      .project<Pick<TemplateVersionDocument, '_id' | 'templateId' | 'pendingUntil'>>({ templateId: 1, pendingUntil: 1 })
      .sort({ pendingUntil: 1 })
      .limit(SWEPT_AT_ONCE)
      .toArray();
    for (const { _id, templateId, pendingUntil } of overdue) {
      // Conditional, so that what its publisher came back to is left alone.
      const same = { _id, pendingUntil } as Filter<TemplateVersionDocument>;
      const template = await this.#fence(templateId);
      if (template?.live.some(({ contentId }) => contentId === _id)) {
        await this.#versions.updateOne(same, { $unset: CONFIRMED });
      } else {
        await this.#versions.deleteOne(same);
      }
    }
  }

  /** From here on no publish that began before takes effect. */
  async #fence(_id: string): Promise<TemplateDocument | null> {
    const template = await this.#templates.findOneAndUpdate(
      { _id, ownerId: { $exists: true } },
      { $inc: { rev: 1 }, ...this.#loosen() },
      { returnDocument: 'after' },
    );
    if (template) return template;
    // Neither: it took effect between the two looks, or can no more.
    return (await this.#end(_id)) ? null : this.find(_id);
  }

  /** From here on nothing takes the place of the mark. False when something has, or there is none. */
  async #end(_id: string): Promise<boolean> {
    const marked = { _id, ownerId: { $exists: false } } as Filter<TemplateTombstone>;
    const { matchedCount } = await this.#tombstones.updateOne(marked, {
      $min: { erasedAt: this.#deps.now() },
      $unset: { open: 1 },
    });
    return matchedCount > 0;
  }

  /** Finishes erasures that died half-way, and takes away what was written by those who had not heard of them. */
  async sweepErased(): Promise<void> {
    const dropBefore = this.#in(-UNDER_WAY_MS);
    // All of them: what is swept stays for a while, and must not stand before what is not.
    const erased = this.#tombstones
      .find({ erasedAt: { $lte: this.#deps.now() } })
      .sort({ erasedAt: 1 })
      .batchSize(SWEPT_AT_ONCE);
    for await (const { _id, erasedAt } of erased) {
      if (!(await this.#end(_id))) continue;
      await this.#eraseRest(_id);
      if (erasedAt <= dropBefore) await this.#tombstones.deleteOne({ _id });
    }
  }

  /** Clears away files and snapshots that no version names, once no publish can be about to name them. */
  async sweepLoose(): Promise<void> {
    const loose = await this.#templates
      .find({ looseFrom: { $lte: this.#deps.now() } })
      .project<{ _id: string; looseFrom: Date }>({ looseFrom: 1 })
      .sort({ looseFrom: 1 })
      .limit(SWEPT_AT_ONCE)
      .toArray();
    for (const { _id, looseFrom } of loose) {
      await this.#clearUnnamed(_id);
      // One that was marked again meanwhile comes up again.
      await this.#templates.updateOne({ _id, looseFrom }, { $unset: { looseFrom: 1 } });
    }
  }

  async #clearUnnamed(templateId: string): Promise<void> {
    const named = await this.#versions
      .find({ templateId })
      .project<Pick<TemplateVersionDocument, 'files' | 'verifiers' | 'imageGenerators'>>({
        files: 1,
        verifiers: 1,
        imageGenerators: 1,
      })
      .toArray();
    const before = this.#in(-UNDER_WAY_MS);
    const pins = named.flatMap(frozenPins).map((pin) => snapshotId(templateId, pin));
    await this.#snapshots.deleteMany({ templateId, _id: { $nin: pins }, writtenAt: { $lte: before } });
    const hashes = new Set(named.flatMap(({ files }) => files).map(({ sha256 }) => sha256));
    await this.#deps.bundles.clearUnused(templateId, hashes, before);
  }

  #in(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }
}

interface Owned {
  _id: string;
  ownerId: string;
}

interface Changed<T> {
  template: TemplateDocument;
  value: T;
}

type Decision<T> = (before: TemplateDocument) => Promise<{ changes: Changes; value: T }>;

/** `listed` null: it is not any more. */
type Changes = Partial<Omit<TemplateDocument, '_id' | 'rev' | 'listed'>> & { listed?: true | null };

/** Everything that depends on which versions are live. */
function served(status: TemplateStatus, live: LiveVersion[], latest: TemplateSummary) {
  const listed = status === TemplateStatus.LIVE && live.length > 0 ? (true as const) : null;
  return { live, livePins: pinsOf(live), latest, words: wordsOf(latest), listed };
}

function pinsOf(live: readonly LiveVersion[]): string[] {
  return [...new Set(live.flatMap(({ pins }) => pins.flatMap((pin) => [thingOf(pin), pin])))];
}

function thingOf(pin: string): string {
  return pin.slice(0, pin.lastIndexOf('@'));
}

function liveVersion({ _id, version, publishedAt }: TemplateVersionDocument, setups: readonly Setup[]): LiveVersion {
  return { version, contentId: _id, publishedAt, pins: setups.map(({ pin }) => pin) };
}

/** What a version froze, as `uuid@version`. */
export function frozenPins({
  verifiers,
  imageGenerators,
}: Pick<TemplateVersionDocument, 'verifiers' | 'imageGenerators'>): string[] {
  const ofVerifiers = verifiers.flatMap(({ verifierId, version }) =>
    version === null ? [] : [`${verifierId}@${version}`],
  );
  const ofGenerators = imageGenerators.flatMap(({ generatorRef, contract }) =>
    contract === null ? [] : [generatorRef],
  );
  return [...new Set([...ofVerifiers, ...ofGenerators])];
}

function summaryOf({ _id, ...content }: TemplateVersionDocument): TemplateSummary {
  const { version, name, description, outcome, tags, publishingHandle, safetyStatus, publishedAt } = content;
  return { version, contentId: _id, name, description, outcome, tags, publishingHandle, safetyStatus, publishedAt };
}

function emptied({ slug, latest }: TemplateDocument): TemplateSummary {
  return { ...latest, name: slug, description: '', outcome: '', tags: [] };
}

function wordsOf({ name, description, outcome, tags }: TemplateSummary | TemplateVersionDocument): string[] {
  return searchWords(name, ...tags, outcome, description);
}

function tooLate(): Problem {
  return new Problem('unavailable', 'Publishing took too long and was given up. Try again.');
}

function busy(): Problem {
  return new Problem('unavailable', 'The template is being changed by many requests. Try again.');
}
