import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { GeneratorConfig } from '../generator/generator.model.js';
import type { Contract } from '../model/entry.js';
import type { StoredEmbedding } from '../search/embedding.js';
import type { InputContract, VerifierConfig } from '../verifier/verifier.model.js';
import type { BundleFile } from '../workflow/workflow.model.js';

export enum TemplateStatus {
  LIVE = 'live',
  ARCHIVED = 'archived',
}

/** What the checks before publishing said of a version. One that must not be published never becomes one. */
export enum SafetyStatus {
  CLEAN = 'clean',
  FLAGGED = 'flagged',
}

/** A verifier as a version has it for good. */
export interface FrozenVerifier {
  /** How the body speaks of it. */
  name: string;
  /** Bare id, or `system:name`: the platform's own are not frozen. */
  verifierId: string;
  /** Null for one of the platform's own. */
  version: number | null;
  /** What a run is to be given; null for one of the platform's own. */
  contract: { inputContract: InputContract; inputFields: string[] } | null;
}

export interface FrozenGenerator {
  name: string;
  /** `uuid@version`, or `system:tier`. */
  generatorRef: string;
  /** Null for a tier, which goes by what it is given. */
  contract: Contract | null;
}

/** What a version says of itself in lists. */
export interface TemplateSummary {
  version: number;
  /** Of the document that holds the whole of it. */
  contentId: string;
  name: string;
  description: string;
  outcome: string;
  tags: string[];
  /** The owner's handle when it was published. */
  publishingHandle: string;
  safetyStatus: SafetyStatus;
  publishedAt: Date;
}

/** A version that callers can be served. */
export interface LiveVersion {
  version: number;
  contentId: string;
  publishedAt: Date;
  /** `uuid@version` of each verifier and generator that it runs. */
  pins: string[];
}

/**
 * Which versions are served is said in here and nowhere else, so that publishing and unpublishing take effect with one
 * update of one document. Each change of what is served is conditional on `rev`, and raises it.
 */
export interface TemplateDocument {
  _id: string;
  ownerId: string;
  /** Its name in addresses, unique for its owner. */
  slug: string;
  /** What it is published from. */
  workflowId: string;
  status: TemplateStatus;
  rev: number;
  /** The highest number that a version was given. Numbers are never given again. */
  lastVersion: number;
  /** Newest last. */
  live: LiveVersion[];
  /** All that live versions run: each as `uuid` and as `uuid@version`. */
  livePins: string[];
  /** Of the newest live version; when none is, of the last that was. */
  latest: TemplateSummary;
  /** There while anybody can find it: live, with a live version. */
  listed?: true;
  /** Of `latest`, for lists that are searched. */
  words: string[];
  archivedAt: Date | null;
  archiveReason: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** From when on what no version names can be cleared away. */
  looseFrom?: Date;
}

/**
 * What is left of an erased template until nothing that was under way can write about it any more; also the mark of a
 * first publish, which takes effect in its place.
 */
export interface TemplateTombstone {
  _id: string;
  erasedAt: Date;
  /** There while a first publish may take effect: whoever takes away what it wrote takes this away first. */
  open?: true;
}

/**
 * The whole of a version. It is written before the template names it, with the time by which that must have happened:
 * whatever is past that time and not named is what a dead process left.
 */
export interface TemplateVersionDocument {
  _id: string;
  templateId: string;
  version: number;
  workflowId: string;
  workflowVersion: number;
  name: string;
  description: string;
  outcome: string;
  tags: string[];
  body: string;
  files: BundleFile[];
  verifiers: FrozenVerifier[];
  imageGenerators: FrozenGenerator[];
  releaseNotes: string | null;
  publishingHandle: string;
  safetyStatus: SafetyStatus;
  /** For the owner alone. */
  advisoryReasoning: string | null;
  blockRunId: string;
  advisoryRunId: string;
  publishedAt: Date;
  /** Means something only while the version is not live. */
  unpublishedAt: Date | null;
  deprecatedAt: Date | null;
  deprecationMessage: string | null;
  /** What it means, for search. Absent until that has been looked into. */
  embedding?: StoredEmbedding;
  pendingUntil?: Date;
  /** There as long as `pendingUntil`: what it runs, as `uuid`, which must not be erased before the template says so. */
  claims?: string[];
}

interface Snapshot {
  /** The template, and `uuid@version` of the thing. */
  _id: string;
  templateId: string;
  name: string;
  description: string;
  /** When it was last written: what is newer than a publish can last may be about to be named. */
  writtenAt: Date;
}

/** How a thing was set up when a version of a template froze it. Nobody is shown this; forks are made from it. */
export type SnapshotDocument = Snapshot &
  ({ kind: 'verifier'; config: VerifierConfig } | { kind: 'generator'; config: GeneratorConfig });

export const TEMPLATES: CollectionDefinition = {
  name: 'registry_templates',
  indexes: [
    { name: 'by_owner', key: { ownerId: 1, _id: -1 } },
    { name: 'by_owner_listed', key: { ownerId: 1, listed: 1, _id: -1 } },
    { name: 'by_owner_archived', key: { ownerId: 1, status: 1, _id: -1 } },
    {
      name: 'by_slug',
      key: { ownerId: 1, slug: 1 },
      options: { unique: true, partialFilterExpression: { slug: { $gt: '' } } },
    },
    { name: 'by_workflow', key: { workflowId: 1, ownerId: 1 }, options: { sparse: true } },
    { name: 'listed', key: { listed: 1, _id: -1 } },
    // For search: all that can be found, without reading a document, and what changed of late.
    { name: 'by_content', key: { listed: 1, 'latest.contentId': 1, _id: 1 } },
    { name: 'by_change', key: { updatedAt: 1 } },
    { name: 'by_word', key: { listed: 1, words: 1, _id: -1 } },
    { name: 'by_owner_word', key: { ownerId: 1, words: 1, _id: -1 } },
    { name: 'by_pin', key: { livePins: 1 } },
    { name: 'erased', key: { erasedAt: 1 }, options: { sparse: true } },
    { name: 'loose', key: { looseFrom: 1 }, options: { sparse: true } },
  ],
};

export const TEMPLATE_VERSIONS: CollectionDefinition = {
  name: 'registry_template_versions',
  indexes: [
    { name: 'by_template', key: { templateId: 1, version: -1 } },
    { name: 'pending', key: { pendingUntil: 1 }, options: { sparse: true } },
    { name: 'by_claim', key: { claims: 1 }, options: { sparse: true } },
    { name: 'by_embedding', key: { 'embedding.model': 1 } },
  ],
};

export const TEMPLATE_SNAPSHOTS: CollectionDefinition = {
  name: 'registry_template_snapshots',
  indexes: [{ name: 'by_template', key: { templateId: 1 } }],
};

export function snapshotId(templateId: string, pin: string): string {
  return `${templateId}/${pin}`;
}
