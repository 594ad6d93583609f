import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export enum VersionedStatus {
  ACTIVE = 'active',
  REVOKED = 'revoked',
}

/** What one deploy fixes for good. */
export interface Version<C> {
  version: number;
  description: string;
  config: C;
  configHash: string;
  createdAt: Date;
}

/**
 * A name and what it stands for. The current version lives in here, so that a deploy is decided, and takes effect, with
 * one conditional update of one document: there is no moment at which a version exists by half.
 */
export interface ThingDocument<C> {
  _id: string;
  ownerId: string;
  name: string;
  status: VersionedStatus;
  current: Version<C>;
  /** Changes with every deploy; who deploys next must name it. */
  versionToken: string;
  createdAt: Date;
  updatedAt: Date;
  /** How many times it was told that somebody is about to publish what runs it. */
  claims?: number;
}

/** What is left of an erased thing until nothing that was under way can write about it any more. */
export interface TombstoneDocument {
  _id: string;
  status: 'erased';
  erasedAt: Date;
}

/**
 * A version that another one followed. It is copied here before its successor is deployed; a copy of a version that is
 * still current is one that its deployer did not live to use, and equals it.
 */
export interface VersionDocument<C> extends Version<C> {
  _id: string;
  thingId: string;
}

export function versionId(thingId: string, version: number): string {
  return `${thingId}@${version}`;
}

export function thingsCollection(name: string): CollectionDefinition {
  return {
    name,
    indexes: [
      { name: 'by_owner', key: { ownerId: 1, status: 1, _id: -1 } },
      {
        name: 'by_name',
        key: { ownerId: 1, name: 1 },
        options: { unique: true, partialFilterExpression: { name: { $gt: '' } } },
      },
      { name: 'erased', key: { erasedAt: 1 }, options: { sparse: true } },
    ],
  };
}

export function versionsCollection(name: string): CollectionDefinition {
  return {
    name,
    indexes: [{ name: 'by_thing', key: { thingId: 1, version: -1 }, options: { unique: true } }],
  };
}
