/**
 * What the rest of the platform may ask of images about assets: the outputs of jobs, which are stored by their content,
 * once however many jobs refer to them, and the pictures that a job is given to work on.
 */
import type { Readable } from 'node:stream';
import type { ByteRange } from '../../platform/s3.js';
import type { ReferenceImage } from './client.js';

export type AssetFormat = 'png' | 'webp' | 'avif';
export type AssetPreset = 'thumbnail' | 'standard' | 'hero' | 'portrait';
export type AssetType = 'image/png' | 'image/webp' | 'image/avif';
export type InputRole = 'image' | 'mask';

export interface AssetFacts {
  /** SHA-256 of the bytes in hexadecimal. */
  id: string;
  /** The address that callers are given. */
  url: string;
  contentType: AssetType;
  sizeBytes: number;
  width: number;
  height: number;
}

export interface OutputToKeep {
  /** A job has one output: keeping it again gives what was kept first, whatever the bytes. */
  jobId: string;
  /** Bare UUID of the user; null for a job of nobody's. */
  ownerId: string | null;
  /** When the job's hold on what is kept ends by itself, if drop() does not come first. */
  expiresAt: Date;
  /** As the provider gave it. */
  source: { bytes: Uint8Array } | { url: string };
  format: AssetFormat;
  /** 1 to 100, for the lossy formats. */
  quality: number;
  /** Makes the output exactly this large, whatever the provider gave. Null: as it is. */
  size: { width: number; height: number } | null;
  /** Makes this variant at once; others are made when they are first asked for. */
  preset: AssetPreset | null;
  removeBackground: boolean;
}

export interface KeptOutput {
  image: AssetFacts;
  presetUrl: string | null;
  /** A PNG with transparency. */
  backgroundRemoved: AssetFacts | null;
  /** Where the time went. */
  encodeMs: number;
  storeMs: number;
}

/**
 * Failed: the bytes cannot be had, are no picture, or cannot be made into what was asked for, and trying again will not
 * help. Nothing is kept then. What may pass (the bucket, the network) is thrown, and may be tried again.
 */
export type OutputResult = { kept: KeptOutput } | { failed: { step: OutputStep; message: string } };
export type OutputStep = 'fetching' | 'encoding' | 'background_removal';

export interface InputToKeep {
  jobId: string;
  role: InputRole;
  ownerId: string | null;
  /** When it ends by itself; see keepInputsUntil(). */
  expiresAt: Date;
  bytes: Uint8Array;
}

export interface InputFacts {
  contentType: string;
  sizeBytes: number;
  width: number;
  height: number;
}

/** Of a variant: its own bytes and their hash, at the address of the asset. */
export interface ServedAsset extends AssetFacts {
  /** Names the object for open(). */
  objectId: string;
  createdAt: Date;
}

export interface Assets {
  keepOutput(output: OutputToKeep, requestId: string): Promise<OutputResult>;
  /** Throws validation_error, unsupported_image_type or file_too_large. Inputs have no address. */
  keepInput(input: InputToKeep, requestId: string): Promise<InputFacts>;
  /** Null when there is none, or none any more. */
  readInput(jobId: string, role: InputRole, requestId: string): Promise<ReferenceImage | null>;
  /** Inputs of a job that has ended are kept for a while longer. */
  keepInputsUntil(jobId: string, expiresAt: Date, requestId: string): Promise<void>;
  /**
   * Ends all that a job holds, at once and for good: what nobody else refers to is gone when this returns. A worker that
   * still believes in the job is refused afterwards. May be repeated.
   */
  drop(jobId: string, requestId: string): Promise<void>;
  /** The bytes of an output of any job, for work on them: AVIF comes as PNG, which providers take. Null when there is none. */
  read(id: string, requestId: string): Promise<ReferenceImage | null>;
  /** The asset, or its variant, which is made when it is first asked for. Null when there is no such asset. */
  find(id: string, preset: AssetPreset | null, requestId: string): Promise<ServedAsset | null>;
  /** The bytes of what find() gave, to be read or destroyed. */
  open(objectId: string, range: ByteRange | null, requestId: string, signal?: AbortSignal): Promise<Readable>;
}

const ASSETS_PREFIX = '/v2/assets/';
const ASSET_ID = /^[0-9a-f]{64}$/;
const ASSET_PATH = /^\/v2\/assets\/([0-9A-Fa-f]{64})$/;

export function assetUrl(publicUrl: string, id: string, preset: AssetPreset | null = null): string {
  return `${publicUrl}${ASSETS_PREFIX}${id}${preset === null ? '' : `?preset=${preset}`}`;
}

/** Null for what cannot be the id of an asset. */
export function parseAssetId(text: string): string | null {
  const id = text.toLowerCase();
  return ASSET_ID.test(id) ? id : null;
}

/** The id in a path of ours, null for any other path. */
export function assetIdOf(path: string): string | null {
  return ASSET_PATH.exec(path)?.[1]?.toLowerCase() ?? null;
}

/** Of this process, where they are built after those that ask them. */
export function lateAssets(find: () => Assets): Assets {
  return {
    keepOutput: (output, requestId) => find().keepOutput(output, requestId),
    keepInput: (input, requestId) => find().keepInput(input, requestId),
    readInput: (jobId, role, requestId) => find().readInput(jobId, role, requestId),
    keepInputsUntil: (jobId, expiresAt, requestId) => find().keepInputsUntil(jobId, expiresAt, requestId),
    drop: (jobId, requestId) => find().drop(jobId, requestId),
    read: (id, requestId) => find().read(id, requestId),
    find: (id, preset, requestId) => find().find(id, preset, requestId),
    open: (objectId, range, requestId, signal) => find().open(objectId, range, requestId, signal),
  };
}
