/** The one interface behind which image providers stand. */
import type { Room } from '../../../platform/rooms.js';
import type { CatalogueModel, ProviderName } from '../model/entry.js';
import type { Params } from '../model/parameters.js';
import type { Size } from '../model/sizes.js';
import type { ProviderFailure } from './failure.js';

export interface Picture {
  bytes: Uint8Array;
  /** Read from the bytes, not declared by a caller. */
  contentType: string;
}

export interface ImageRequest {
  model: CatalogueModel;
  prompt: string;
  /** Pictures wanted, 1 to 4. */
  count: number;
  /** Null lets the provider choose. Picture i of a call is drawn with seed + i where the provider draws one at a time. */
  seed: number | null;
  size: Size;
  /** As readParams() of the model gave them. */
  params: Params;
  /** Empty for text_to_image. */
  references: readonly Picture[];
  /** Of the reference's size; white marks what is drawn anew. */
  mask: Picture | null;
  /** The provider's own checker. Whoever must not switch it off is given true, whatever params say. */
  safety: boolean;
  /** Where what is drawn is put. Whoever asks leaves it, once the outputs are done with. */
  room: Room;
}

/** One asked-for picture: bytes, an address where the provider keeps it, or why there is none. */
export type Output =
  | { kind: 'bytes'; bytes: Buffer; contentType: string; seedUsed: number | null }
  | { kind: 'url'; url: string; width: number | null; height: number | null; seedUsed: number | null }
  | { kind: 'failure'; failure: ProviderFailure };

export interface Provider {
  readonly name: ProviderName;
  /** As many outputs as pictures were asked for. Throws ProviderFailure when the call as a whole failed. */
  generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]>;
  close(): Promise<void>;
}
