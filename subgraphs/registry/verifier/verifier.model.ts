import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { LabelledExample, ReasoningEffort } from '../judge/judge.js';
import {
  type ThingDocument,
  thingsCollection,
  type Version,
  versionsCollection,
} from '../versioned/versioned.model.js';

export const INPUT_CONTRACTS = ['text', 'text_image', 'image'] as const;
export type InputContract = (typeof INPUT_CONTRACTS)[number];

/** What a version of a verifier pins. */
export interface VerifierConfig {
  criterion: string;
  inputContract: InputContract;
  inputFields: string[];
  examples: LabelledExample[];
  model: string | null;
  reasoningEffort: ReasoningEffort | null;
}

export type VerifierDocument = ThingDocument<VerifierConfig>;
export type VerifierVersion = Version<VerifierConfig>;

export const VERIFIERS: CollectionDefinition = thingsCollection('registry_verifiers');
export const VERIFIER_VERSIONS: CollectionDefinition = versionsCollection('registry_verifier_versions');
