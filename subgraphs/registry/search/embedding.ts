/** The meaning of a version as it is stored with it: one byte a dimension, which search loses nothing by. */
import { Binary } from 'mongodb';
import type { Encoder, Vector } from '../embedding/encoder.js';

export interface StoredEmbedding {
  /** Vectors of another model say nothing here. */
  model: string;
  /** The driver may hand it out as bare bytes. */
  vector: Binary | Uint8Array;
}

/** What a version is found by. */
export interface Findable {
  name: string;
  description: string;
  outcome: string;
  tags: readonly string[];
}

/** In lower case, which the built-in encoder understands a little better, and people do not mean anything by. */
export function textOf({ name, description, outcome, tags }: Findable): string {
  return `${name}. ${description} ${outcome} ${tags.join(', ')}`.toLowerCase();
}

export async function embeddingOf(encoder: Encoder, findable: Findable): Promise<StoredEmbedding> {
  const [vector] = await encoder.encode([textOf(findable)]);
  if (!vector) throw new Error('the encoder gave no vector');
  return { model: encoder.model, vector: new Binary(quantized(vector)) };
}

const MAX = 127;

export function quantized(vector: Vector): Buffer {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bytes = Int8Array.from(vector, (value) => (largest === 0 ? 0 : Math.round((value / largest) * MAX)));
  return Buffer.from(bytes.buffer);
}

/** Null for what is missing, or of another model. */
export function storedVector(embedding: StoredEmbedding | undefined, model: string): Int8Array | null {
  if (embedding?.model !== model) return null;
  const { vector } = embedding;
  const bytes = vector instanceof Binary ? vector.buffer : vector;
  return Int8Array.from(bytes, (byte) => (byte << 24) >> 24);
}
