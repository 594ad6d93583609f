/** The one way in which bytes become a hosted image: read once, judged as they come, undone where they fail. */
import type { LiveImage, Source, Visibility } from './image.model.js';

export interface Ingest {
  ownerId: string | null;
  source: Source;
  bytes: AsyncIterable<Uint8Array>;
  /** See LiveImage. An image that is there already is handed back, and these bytes are dropped. */
  origin?: string;
  settings(): Promise<{ visibility: Visibility; expiresAt: Date | null }>;
}

export interface Ingester {
  /**
   * Throws unsupported_image_type, file_too_large, validation_error or quota_exceeded, each as early as the bytes allow,
   * and what `bytes` or `settings` throw. Nothing is left of what was refused.
   */
  ingest(ingest: Ingest): Promise<LiveImage>;
}
