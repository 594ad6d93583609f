/** The shapes that outputs can be had in. */
import type { AssetFormat, AssetPreset } from '../asset-client.js';

export interface PresetShape {
  width: number;
  height: number;
  /** Cover: exactly this size, cut. Inside: not larger than this, whole, and never enlarged. */
  fit: 'cover' | 'inside';
}

export const PRESETS: Readonly<Record<AssetPreset, PresetShape>> = {
  thumbnail: { width: 256, height: 256, fit: 'cover' },
  standard: { width: 1024, height: 1024, fit: 'inside' },
  hero: { width: 1600, height: 900, fit: 'cover' },
  portrait: { width: 900, height: 1200, fit: 'cover' },
};

export const PRESET_NAMES = Object.keys(PRESETS) as readonly AssetPreset[];

export function isPreset(text: string): text is AssetPreset {
  return Object.hasOwn(PRESETS, text);
}

export const FORMATS: readonly AssetFormat[] = ['png', 'webp', 'avif'];
