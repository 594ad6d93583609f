/** What the catalogue says of a model. */
import type { Parameter } from './parameters.js';
import type { Price } from './price.js';
import type { SizeRule } from './sizes.js';

export type ProviderName = 'openai' | 'google' | 'cloudflare' | 'fal' | 'openai-compatible' | 'local';

export type Contract = 'text_to_image' | 'image_to_image';

export const SYSTEM_TIERS = ['image-draft', 'image-standard', 'image-premium', 'image-ultra'] as const;
export type SystemTier = (typeof SYSTEM_TIERS)[number];

export type QualityTier = 'draft' | 'standard' | 'premium' | 'ultra' | 'ultra_plus';

export interface Capabilities {
  txt2img: boolean;
  img2img: boolean;
  /** Takes a mask: only what it marks is drawn anew. */
  inpaint: boolean;
  negativePrompt: boolean;
  /** The same seed gives the same picture. */
  seedControl: boolean;
}

/** How /v2 offers a model and what it takes for it. */
export interface JobsTerms {
  qualityTier: QualityTier;
  /** What the tier draws with when no model is named. */
  isTierDefault: boolean;
  /** The field by which a request names the model; null for one that only a tier leads to. */
  field: 'openai_model' | 'cf_model' | 'model' | null;
  /** Credits of one picture; null where the tier that the caller names decides. */
  credits: number | null;
  /** A floor under the credits, whatever the tier. */
  minCredits: number | null;
  /** A frontier model needs a subscription, and a `milestone` one that the community has reached its goal too. */
  frontier: 'unlocked' | 'milestone' | null;
  costTier: 'low' | 'medium' | 'high';
  latencyClass: 'fast' | 'medium' | 'slow';
}

export interface CatalogueModel {
  /** Its name to callers, and unless wireName says otherwise to its provider. */
  slug: string;
  wireName?: string;
  /** Other names by which callers may ask for it, beside provider/slug. */
  aliases?: readonly string[];
  provider: ProviderName;
  /** Day of its release: the newest of a tier serves it. */
  released: string;
  capabilities: Capabilities;
  /** How many reference pictures one call takes; 0 where there is no img2img. */
  maxReferences: number;
  /** The provider's name of the model where it is given a reference, if that is another. */
  editName?: string;
  /** The provider draws one picture a call, so that four are four calls. */
  oneByOne?: boolean;
  sizes: SizeRule;
  price: Price;
  /** What `params` may hold, beside what every model takes. */
  parameters: Readonly<Record<string, Parameter>>;
  systemTier: SystemTier | null;
  jobs: JobsTerms | null;
  /** From this day on the provider refuses it. */
  retiresAt?: string;
  /** What to use in its place. */
  successors?: readonly string[];
}

export function contractsOf({ capabilities }: CatalogueModel): Contract[] {
  return [
    ...(capabilities.txt2img ? (['text_to_image'] as const) : []),
    ...(capabilities.img2img ? (['image_to_image'] as const) : []),
  ];
}
