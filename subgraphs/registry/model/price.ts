/** What a picture costs, in millionths of a dollar. */
import type { CatalogueModel } from './entry.js';
import type { Params } from './parameters.js';
import { defaultSize, type Size, sizesOf } from './sizes.js';

export type Price =
  /** The same whatever the size. */
  | { kind: 'flat'; micros: number; perReference?: number }
  /** By the slug of the size, or by Google's name of the resolution. */
  | { kind: 'bySize'; micros: Readonly<Record<string, number>>; perReference?: number }
  /** By the `quality` parameter, then by size. */
  | { kind: 'byQuality'; micros: Readonly<Record<string, Readonly<Record<string, number>>>>; perReference?: number }
  /** By started megapixels. */
  | { kind: 'perMegapixel'; first: number; further: number; perReference?: number }
  /** As Workers AI counts: by started tiles of 512 by 512 and by steps, each alone or one times the other. */
  | {
      kind: 'perTile';
      tile?: number;
      step?: number;
      tileStep?: number;
      /** Steps when the parameter says nothing. */
      steps: number;
      perReference?: number;
      perReferenceStep?: number;
    };

export interface Priced {
  size: Size;
  params: Params;
  references: number;
}

/** One picture. Null when the catalogue has no price for it: then it may not be drawn. */
export function priceOf({ price, parameters }: CatalogueModel, { size, params, references }: Priced): number | null {
  const own = ownPrice();
  return own === null ? null : Math.ceil(own + references * (price.perReference ?? 0));

  function ownPrice(): number | null {
    switch (price.kind) {
      case 'flat':
        return price.micros;
      case 'bySize':
        return price.micros[size.resolution ?? size.slug] ?? null;
      case 'byQuality': {
        const quality = params['quality'] ?? defaultOf(parameters['quality']);
        return price.micros[String(quality)]?.[size.slug] ?? null;
      }
      case 'perMegapixel': {
        const megapixels = Math.max(1, Math.ceil((size.width * size.height) / 1_048_576));
        return price.first + (megapixels - 1) * price.further;
      }
      case 'perTile': {
        const tiles = Math.ceil(size.width / 512) * Math.ceil(size.height / 512);
        const steps = Number(params['num_steps'] ?? price.steps);
        const { tile = 0, step = 0, tileStep = 0, perReferenceStep = 0 } = price;
        return tiles * tile + steps * step + tiles * steps * tileStep + references * steps * perReferenceStep;
      }
    }
  }
}

function defaultOf(parameter: CatalogueModel['parameters'][string] | undefined): unknown {
  return parameter && 'default' in parameter ? parameter.default : undefined;
}

/** One picture of the default size, with default parameters and no reference. */
export function basePrice(model: CatalogueModel): number | null {
  return priceOf(model, { size: defaultSize(model.sizes), params: {}, references: 0 });
}

export interface ListedPrice {
  size: string;
  quality: string | null;
  micros: number;
}

/** The price list of a model, by size and quality where they matter. */
export function pricesOf(model: CatalogueModel): ListedPrice[] {
  const qualities = model.price.kind === 'byQuality' ? Object.keys(model.price.micros) : [null];
  return sizesOf(model.sizes).flatMap((size) =>
    qualities.flatMap((quality) => {
      const micros = priceOf(model, { size, params: quality === null ? {} : { quality }, references: 0 });
      return micros === null ? [] : [{ size: size.slug, quality, micros }];
    }),
  );
}
