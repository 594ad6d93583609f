/** What templates that can be found run: asked before a thing is erased, and by those who run one without owning it. */
import type { Collection, Db } from 'mongodb';
import type { Inclusion, LiveReferences } from '../versioned/live-references.js';
import { TEMPLATE_VERSIONS, TEMPLATES, type TemplateDocument, type TemplateVersionDocument } from './template.model.js';

export class LiveSnapshots implements LiveReferences {
  readonly #templates: Collection<TemplateDocument>;
  readonly #versions: Collection<TemplateVersionDocument>;

  constructor(db: Db) {
    this.#templates = db.collection<TemplateDocument>(TEMPLATES.name);
    this.#versions = db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name);
  }

  /** Archived templates count: they can be brought back, and must then run what they ran. */
  async include(thingId: string): Promise<Inclusion | null> {
    // In this order: a claim is given up only after the template has taken its place.
    const claimed = await this.#versions.findOne({ claims: thingId }, { projection: { _id: 1 } });
    if (await this.#templates.findOne({ livePins: thingId }, { projection: { _id: 1 } })) return 'live';
    return claimed && 'under way';
  }

  async publicVersion(thingId: string, version: number | null): Promise<number | null> {
    const pin = version === null ? thingId : `${thingId}@${version}`;
    const templates = await this.#templates
      .find({ livePins: pin, listed: true })
      .project<Pick<TemplateDocument, 'live'>>({ live: 1 })
      .toArray();
    if (version !== null) return templates.length > 0 ? version : null;
    const prefix = `${thingId}@`;
    const pinned = templates.flatMap(({ live }) =>
      live.flatMap(({ pins, publishedAt }) =>
        pins.filter((one) => one.startsWith(prefix)).map((one) => ({ at: publishedAt, version: versionIn(one) })),
      ),
    );
    // One version may run two of a thing's: then the newer is meant.
    const [newest] = pinned.toSorted((a, b) => b.at.getTime() - a.at.getTime() || b.version - a.version);
    return newest?.version ?? null;
  }
}

function versionIn(pin: string): number {
  return Number(pin.slice(pin.lastIndexOf('@') + 1));
}
