/** Takes the background out of a picture: a PNG of the same size whose alpha says what belongs to the subject. */
import type { Encoded } from '../encoder.js';

export interface BackgroundRemover {
  /** Throws AssetFailure where another try will not help, anything else where it may. */
  remove(bytes: Uint8Array): Promise<Encoded>;
  close(): Promise<void>;
}
