import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Payer } from '../../billing/client.js';
import type { EnhancementStep } from '../enhance/enhance.js';
import type { QualityTier } from '../model/entry.js';
import type { Params } from '../model/parameters.js';
import type { Size } from '../model/sizes.js';
import type { Watched } from './job.changes.js';

export enum JobState {
  QUEUED = 'queued',
  PROCESSING = 'processing',
  COMPLETED = 'completed',
  FAILED = 'failed',
  FAILED_ENCODING = 'failed_encoding',
}

export type EndState = JobState.COMPLETED | JobState.FAILED | JobState.FAILED_ENCODING;

export enum OutputFormat {
  PNG = 'png',
  WEBP = 'webp',
  AVIF = 'avif',
}

export enum OutputPreset {
  THUMBNAIL = 'thumbnail',
  STANDARD = 'standard',
  HERO = 'hero',
  PORTRAIT = 'portrait',
}

/** A picture that is kept under the hash of its bytes. */
export interface StoredAsset {
  sha256: string;
  contentType: string;
  sizeBytes: number;
  width: number;
  height: number;
}

export interface JobResult {
  asset: StoredAsset;
  /** The same without its background, where that was asked for. */
  cutOut: StoredAsset | null;
  /** Null where the model takes none. */
  seedUsed: number | null;
}

export interface JobFailure {
  code: string;
  message: string;
}

/** What is to be drawn, all of it decided when the job was taken on, so that whoever draws it draws the same. */
export interface Drawing {
  /** As the caller chose it. */
  aspectRatio: string | null;
  size: Size;
  params: Params;
  seed: number | null;
  /** Which pictures it goes by: those are kept by the images subgraph, under the job's id. */
  source: boolean;
  mask: boolean;
  format: OutputFormat;
  quality: number;
  preset: OutputPreset | null;
  removeBackground: boolean;
}

/** A job that ends by being erased: nobody is shown it any more, and what is left of it is being cleared away. */
export interface Erasure {
  erasing?: true;
}

export interface JobDocument extends Watched<JobState>, Erasure {
  /** Null without an account. */
  tenantId: string | null;
  ownerId: string | null;
  qualityTier: QualityTier;
  modelId: string;
  originalPrompt: string;
  finalPrompt: string;
  enhancement: EnhancementStep[];
  drawing: Drawing;
  result: JobResult | null;
  failure: JobFailure | null;
  createdAt: Date;
  completedAt: Date | null;

  /** Its place in the queue: the least is next. `rank` is the same, and there only while a worker may take the job. */
  place: number;
  rank?: number;
  /** Who works on it, until when they must have said that they still do. */
  worker?: string;
  leaseUntil?: Date;
  attempts: number;

  /** What it costs: credits, or pictures of a network's month. */
  cost: number;
  /** Who pays, for as long as something is left to pay. It may be a network address, so it goes with the rest. */
  payer?: Payer;
  /** By when somebody must look after what is held for it: to go on holding it, to charge it or to give it back. */
  openUntil?: Date;
  /** What its caller named the request by, for a day. */
  requestKey?: string;
  fingerprint?: string;
}

export const JOBS: CollectionDefinition = {
  name: 'registry_jobs',
  indexes: [
    { name: 'by_owner', key: { owner: 1, _id: -1 } },
    {
      name: 'under_way_by_owner',
      key: { owner: 1, _id: 1 },
      options: { partialFilterExpression: { state: { $in: [JobState.QUEUED, JobState.PROCESSING] } } },
    },
    { name: 'changed', key: { changedAt: 1 } },
    // With the state, so that a tenant's jobs are counted without reading them.
    { name: 'changed_by_owner', key: { owner: 1, changedAt: 1, state: 1 } },
    {
      name: 'by_request',
      key: { owner: 1, requestKey: 1 },
      options: { unique: true, partialFilterExpression: { requestKey: { $exists: true } } },
    },
    { name: 'queue', key: { rank: 1 }, options: { sparse: true } },
    {
      name: 'waiting_by_owner',
      key: { owner: 1, rank: 1 },
      options: { partialFilterExpression: { rank: { $exists: true } } },
    },
    { name: 'leases', key: { leaseUntil: 1 }, options: { sparse: true } },
    { name: 'open', key: { openUntil: 1 }, options: { sparse: true } },
    { name: 'erasing', key: { erasing: 1 }, options: { sparse: true } },
  ],
};

export function isEnded(state: JobState): state is EndState {
  return state !== JobState.QUEUED && state !== JobState.PROCESSING;
}
