import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export interface GeneratorDocument {
  _id: string;
  ownerId: string;
  name: string;
  description: string;
  model: string;
  currentVersion: number;
  status: 'active' | 'revoked';
  createdAt: Date;
  updatedAt: Date;
}

export const GENERATORS: CollectionDefinition = {
  name: 'registry_generators',
  indexes: [
    { name: 'by_owner', key: { ownerId: 1, status: 1, _id: -1 } },
    { name: 'by_name', key: { ownerId: 1, name: 1 }, options: { unique: true } },
  ],
};
