/** What sizes a model draws, and how a caller's wish becomes one of them. */

export interface Size {
  /** As answers and the price list name it: 1024x1024. */
  slug: string;
  width: number;
  height: number;
  /** Google's name of the resolution, where the model is asked by aspect and resolution. */
  resolution?: string;
  aspect?: string;
}

export type SizeRule =
  /** A closed list; the first is the default. */
  | { kind: 'listed'; sizes: readonly Size[] }
  /** Any width and height between the bounds, in steps. */
  | { kind: 'free'; min: number; max: number; step: number; default: Size }
  /** An aspect ratio and a resolution: the sides at each ratio, times the factor of the resolution. */
  | {
      kind: 'aspect';
      base: Readonly<Record<string, readonly [number, number]>>;
      resolutions: Readonly<Record<string, number>>;
      default: { aspect: string; resolution: string };
    };

export interface SizeWish {
  /** A name of the table below, `WIDTHxHEIGHT`, both as an object, or a resolution such as 2K. */
  image_size?: unknown;
  aspect_ratio?: unknown;
}

export const ASPECT_RATIOS = ['1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '21:9', '4:5', '5:4'] as const;

/** Names that every model understands; one with a closed list takes its nearest of that shape. */
export const NAMED_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  square_hd: [1024, 1024],
  square: [512, 512],
  portrait_4_3: [768, 1024],
  portrait_16_9: [576, 1024],
  landscape_4_3: [1024, 768],
  landscape_16_9: [1024, 576],
};

export function size(width: number, height: number): Size {
  return { slug: `${width}x${height}`, width, height };
}

export function listed(...slugs: readonly string[]): SizeRule {
  return { kind: 'listed', sizes: slugs.map(parsed) };
}

function parsed(slug: string): Size {
  const [width, height] = slug.split('x').map(Number);
  return { slug, width: width ?? 0, height: height ?? 0 };
}

/** Every size of a closed rule; for a free one the named sizes that fit it. The default comes first. */
export function sizesOf(rule: SizeRule): Size[] {
  if (rule.kind === 'listed') return [...rule.sizes];
  if (rule.kind === 'free') {
    const named = Object.values(NAMED_SIZES).map(([width, height]) => size(width, height));
    const fitting = named.filter(
      (candidate) => candidate.slug !== rule.default.slug && freeSize(rule, candidate) !== null,
    );
    return [rule.default, ...fitting];
  }
  const all = Object.keys(rule.resolutions).flatMap((resolution) =>
    Object.keys(rule.base).flatMap((aspect) => aspectSize(rule, aspect, resolution) ?? []),
  );
  const first = defaultSize(rule);
  return [first, ...all.filter(({ slug }) => slug !== first.slug)];
}

export function defaultSize(rule: SizeRule): Size {
  if (rule.kind === 'free') return rule.default;
  const first =
    rule.kind === 'aspect' ? aspectSize(rule, rule.default.aspect, rule.default.resolution) : (rule.sizes[0] ?? null);
  if (!first) throw new Error('a model has at least one size');
  return first;
}

/** The size to draw, or in words why the wish is none of this model. */
export function resolveSize(rule: SizeRule, wish: SizeWish): Size | string {
  const aspect = wish.aspect_ratio;
  if (aspect !== undefined && !isOneOf(ASPECT_RATIOS, aspect))
    return `aspect_ratio must be one of ${ASPECT_RATIOS.join(', ')}`;
  if (wish.image_size === undefined) return aspect === undefined ? defaultSize(rule) : ofAspect(rule, aspect, null);
  if (
    rule.kind === 'aspect' &&
    typeof wish.image_size === 'string' &&
    Object.hasOwn(rule.resolutions, wish.image_size)
  ) {
    return ofAspect(rule, aspect ?? rule.default.aspect, wish.image_size);
  }
  const pixels = pixelsOf(wish.image_size);
  if (pixels === null) return `image_size must be ${sizeWords(rule)}`;
  if (aspect !== undefined) return 'aspect_ratio and an image_size in pixels exclude each other';
  const [width, height] = pixels;
  const named = typeof wish.image_size === 'string' && Object.hasOwn(NAMED_SIZES, wish.image_size);
  const found =
    rule.kind === 'free'
      ? freeSize(rule, size(width, height))
      : named
        ? nearest(sizesOf(rule), width / height)
        : (sizesOf(rule).find((candidate) => candidate.width === width && candidate.height === height) ?? null);
  return found ?? `image_size must be ${sizeWords(rule)}`;
}

function isOneOf<const T extends string>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value);
}

function pixelsOf(wish: unknown): readonly [number, number] | null {
  if (typeof wish === 'string') {
    if (Object.hasOwn(NAMED_SIZES, wish)) return NAMED_SIZES[wish] ?? null;
    const match = /^(\d{2,5})x(\d{2,5})$/.exec(wish);
    return match ? [Number(match[1]), Number(match[2])] : null;
  }
  if (typeof wish !== 'object' || wish === null) return null;
  const { width, height, ...rest } = wish as Record<string, unknown>;
  const whole = (value: unknown): value is number => Number.isInteger(value);
  return whole(width) && whole(height) && Object.keys(rest).length === 0 ? [width, height] : null;
}

type FreeRule = Extract<SizeRule, { kind: 'free' }>;
type AspectRule = Extract<SizeRule, { kind: 'aspect' }>;

function freeSize({ min, max, step }: FreeRule, candidate: Size): Size | null {
  const fits = (side: number) => side >= min && side <= max && side % step === 0;
  return fits(candidate.width) && fits(candidate.height) ? candidate : null;
}

function aspectSize({ base, resolutions }: AspectRule, aspect: string, resolution: string): Size | null {
  const sides = base[aspect];
  const factor = resolutions[resolution];
  if (!sides || factor === undefined) return null;
  return { ...size(Math.round(sides[0] * factor), Math.round(sides[1] * factor)), resolution, aspect };
}

function ofAspect(rule: SizeRule, aspect: string, resolution: string | null): Size | string {
  const [across, down] = aspect.split(':').map(Number);
  const ratio = (across ?? 1) / (down ?? 1);
  if (rule.kind === 'listed') return nearest(rule.sizes, ratio) ?? `aspect_ratio ${aspect} is none of this model`;
  if (rule.kind === 'aspect') {
    return (
      aspectSize(rule, aspect, resolution ?? rule.default.resolution) ?? `aspect_ratio ${aspect} is none of this model`
    );
  }
  // About as many pixels as the default has, and the shape that was asked for.
  const area = rule.default.width * rule.default.height;
  const side = (length: number) => Math.min(rule.max, Math.max(rule.min, Math.round(length / rule.step) * rule.step));
  return size(side(Math.sqrt(area * ratio)), side(Math.sqrt(area / ratio)));
}

function nearest(sizes: readonly Size[], ratio: number): Size | null {
  const distance = ({ width, height }: Size) => Math.abs(Math.log(width / height / ratio));
  return sizes.reduce<Size | null>((best, next) => (best && distance(best) <= distance(next) ? best : next), null);
}

/** The sizes of a rule, for people. */
export function sizeWords(rule: SizeRule): string {
  const names = Object.keys(NAMED_SIZES).join(', ');
  if (rule.kind === 'free') {
    return `WIDTHxHEIGHT with sides from ${rule.min} to ${rule.max} in steps of ${rule.step}, or a name that fits (${names})`;
  }
  const own = rule.kind === 'aspect' ? Object.keys(rule.resolutions) : rule.sizes.map(({ slug }) => slug);
  return `one of ${own.join(', ')}, or a name (${names})`;
}
