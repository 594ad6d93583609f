import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Grant } from '../grant/grant.model.js';
import type { StoredEmbedding } from '../search/embedding.js';

export enum WorkflowStatus {
  LIVE = 'live',
  ARCHIVED = 'archived',
}

/** A file of a bundle. Its bytes are in the object store, under the hash. */
export interface BundleFile {
  path: string;
  sha256: string;
  sizeBytes: number;
  contentType: string;
}

export interface VerifierPin {
  /** How the body speaks of it. */
  name: string;
  /** Bare id, or `system:name`. */
  verifierId: string;
  /** Null: the newest. */
  version: number | null;
  /**
   * The verifier's owner, when it was the owner who put it into this workflow. Only then do grants on the workflow reach
   * the verifier: nobody can hand out what is not theirs by naming it.
   */
  sharedBy: string | null;
}

export interface GeneratorPin {
  name: string;
  /** `uuid`, `uuid@version` or `system:tier`. */
  generatorRef: string;
}

/** What one save fixes for good. */
export interface WorkflowVersion {
  version: number;
  name: string;
  description: string;
  outcome: string;
  tags: string[];
  body: string;
  files: BundleFile[];
  verifiers: VerifierPin[];
  imageGenerators: GeneratorPin[];
  /** Where the save came from, in the words of whoever saved. */
  source: string | null;
  savedBy: string;
  createdAt: Date;
  /** What it means, for search. Absent until that has been looked into. */
  embedding?: StoredEmbedding;
}

/** Which template version a workflow was forked from. */
export interface Parent {
  templateId: string;
  version: number;
}

/** The current version lives in the workflow, so that a save takes effect with one update of one document. */
export interface WorkflowDocument {
  _id: string;
  ownerId: string;
  slug: string;
  status: WorkflowStatus;
  current: WorkflowVersion;
  versionToken: string;
  parent: Parent | null;
  grants: Grant[];
  /** Raised by every change of the grants: who decides about one does so on the grants as they are. */
  grantsRev: number;
  /** It was forked from a template that was erased since. */
  parentGone?: true;
  /** Of the current version, for lists that are searched. */
  words: string[];
  createdAt: Date;
  updatedAt: Date;
  /** For changes of hands, see ownership/. */
  turnover?: number;
  appliedInvitations?: string[];
  /** From when on files that no version names can be cleared away. Set before there may be such. */
  looseFrom?: Date;
  /** Versions that were erased: a save that read one of them before may write its copy once more. */
  erasedVersions?: number[];
}

/**
 * What is left of an erased workflow until nothing that was under way can write about it any more. It also stands for a
 * workflow whose first save is under way: then it lies in the future, and takes hold if that save never ends.
 */
export interface WorkflowTombstone {
  _id: string;
  erasedAt: Date;
  /** What was made for a fork that never came to be, and goes with it. */
  copies?: Copies;
}

/** Ids of verifiers and generators that are made together with a workflow. */
export interface Copies {
  ownerId: string;
  verifiers: string[];
  generators: string[];
}

/** A version that another one followed; copied here before its successor is saved. */
export interface WorkflowVersionDocument extends WorkflowVersion {
  _id: string;
  workflowId: string;
}

export const BY_CONTENT = 'by_content';
export const BY_VERIFIER = 'by_verifier';

export const WORKFLOWS: CollectionDefinition = {
  name: 'registry_workflows',
  indexes: [
    { name: 'by_owner', key: { ownerId: 1, status: 1, _id: -1 } },
    // How all of an owner's stand, for search, without reading a document.
    { name: BY_CONTENT, key: { ownerId: 1, status: 1, 'current.version': 1, _id: 1 } },
    { name: 'by_owner_any', key: { ownerId: 1, _id: -1 } },
    {
      name: 'by_slug',
      key: { ownerId: 1, slug: 1 },
      options: { unique: true, partialFilterExpression: { slug: { $gt: '' } } },
    },
    { name: 'by_tag', key: { ownerId: 1, 'current.tags': 1, _id: -1 } },
    { name: 'by_word', key: { ownerId: 1, words: 1, _id: -1 } },
    { name: 'by_parent', key: { 'parent.templateId': 1 }, options: { sparse: true } },
    { name: 'by_pins_of_others', key: { ownerId: 1, 'current.verifiers.sharedBy': 1 } },
    { name: 'by_grantee', key: { 'grants.granteeId': 1, _id: -1 } },
    { name: BY_VERIFIER, key: { 'current.verifiers.verifierId': 1, 'current.verifiers.sharedBy': 1 } },
    { name: 'erased', key: { erasedAt: 1 }, options: { sparse: true } },
    { name: 'loose', key: { looseFrom: 1 }, options: { sparse: true } },
    { name: 'by_embedding', key: { 'current.embedding.model': 1 } },
  ],
};

export const WORKFLOW_VERSIONS: CollectionDefinition = {
  name: 'registry_workflow_versions',
  indexes: [{ name: 'by_workflow', key: { workflowId: 1, version: -1 }, options: { unique: true } }],
};

export function workflowVersionId(workflowId: string, version: number): string {
  return `${workflowId}@${version}`;
}
