import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Contract, ProviderName } from '../model/entry.js';
import {
  type ThingDocument,
  thingsCollection,
  type Version,
  versionsCollection,
} from '../versioned/versioned.model.js';

/** What a version of a generator pins. */
export interface GeneratorConfig {
  model: string;
  provider: ProviderName;
  generationContract: Contract;
  defaultParams: Record<string, unknown>;
}

export type GeneratorDocument = ThingDocument<GeneratorConfig>;
export type GeneratorVersion = Version<GeneratorConfig>;

export const GENERATORS: CollectionDefinition = thingsCollection('registry_generators');
export const GENERATOR_VERSIONS: CollectionDefinition = versionsCollection('registry_generator_versions');
