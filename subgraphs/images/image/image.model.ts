import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export interface ImageDocument {
  _id: string;
  ownerId: string;
  /** The unguessable part of the serving URL. */
  token: string;
  extension: string;
  visibility: 'public' | 'private';
  source: 'upload' | 'generated';
  contentType: string;
  sizeBytes: number;
  width: number;
  height: number;
  createdAt: Date;
  expiresAt: Date | null;
}

export const IMAGES: CollectionDefinition = {
  name: 'images_images',
  indexes: [
    { name: 'by_owner', key: { ownerId: 1, _id: -1 } },
    { name: 'by_token', key: { token: 1 }, options: { unique: true } },
  ],
};
