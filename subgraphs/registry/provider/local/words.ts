/** What the words of a prompt say about the picture. Unknown words still count: they are part of the random key. */
import { type Color, lch } from './color.js';
import type { Mood } from './palette.js';

export type Motif =
  | 'mountains'
  | 'sea'
  | 'forest'
  | 'city'
  | 'space'
  | 'desert'
  | 'flowers'
  | 'still'
  | 'portrait'
  | 'geometry'
  | 'flow'
  | 'contours'
  | 'animal'
  | 'arches';

export type Extra =
  | 'sun'
  | 'moon'
  | 'stars'
  | 'clouds'
  | 'birds'
  | 'rain'
  | 'snow'
  | 'aurora'
  | 'reflection'
  | 'mist'
  | 'cabin'
  | 'night'
  | 'bottle'
  | 'cup';

const MOTIF_WORDS: Record<Motif, string> = {
  mountains:
    'mountain alp alps alpine peak summit hill valley cliff fjord glacier volcano lake river pond waterfall landscape highland ridge himalaya',
  sea: 'sea ocean wave surf beach coast shore bay island harbor harbour sail boat ship lighthouse underwater tide lagoon',
  forest: 'forest tree wood woodland pine jungle grove birch oak fir rainforest cabin deer trail',
  city: 'city skyline building street urban tower skyscraper downtown metropolis town architecture house cyberpunk office',
  space:
    'space planet galaxy cosmic cosmos universe nebula orbit saturn mars astronaut rocket solar asteroid comet alien',
  desert: 'desert dune sand sahara cactus canyon oasis mesa camel pyramid',
  flowers:
    'flower bloom blossom floral garden rose tulip daisy botanical plant leaf bouquet meadow petal lotus sunflower fern',
  still:
    'product bottle cup mug vase perfume cosmetic jar packaging shoe sneaker watch phone headphone object shot studio mockup candle coffee tea fruit apple bowl lamp chair',
  portrait:
    'portrait face person woman man girl boy people headshot model human child queen king hero character avatar selfie',
  geometry:
    'geometric geometry bauhaus pattern shape shapes logo icon poster tile mosaic grid cube circle triangle memphis banner',
  flow: 'flow abstract music wind silk smoke ribbon energy motion dance liquid fluid swirl wave-form melody dream speed fabric',
  contours:
    'map topographic topography contour data science network technology terrain ai algorithm signal circuit brain neural dashboard chart revenue analytics report',
  animal: 'cat kitten kitty dog puppy fox wolf bear owl bird rabbit bunny animal pet',
  arches:
    'arch temple door gate column courtyard palace ruins cathedral bridge interior room minimal minimalist surreal stairs',
};

const MOOD_WORDS: Record<Mood, string> = {
  dawn: 'dawn sunrise morning hope lavender dreamy daybreak',
  sunset: 'sunset dusk golden evening twilight warm summer romantic epic tropical',
  day: 'day daylight noon bright sunny clear blue-sky cheerful midday',
  night:
    'night midnight dark moonlit nocturnal starry moonlight space galaxy cosmos cosmic universe mystery halloween aurora northern',
  storm: 'storm rain rainy grey gray moody cloudy overcast thunder melancholy sad dramatic gloomy',
  forest: 'forest jungle spring moss green nature garden lush meadow botanical wood rainforest',
  ocean: 'ocean sea beach water underwater lagoon aqua lake river island',
  ice: 'ice winter snow snowy frozen arctic glacier cold frost christmas polar crisp',
  desert: 'desert sand dune canyon dry clay terracotta mars',
  autumn: 'autumn fall rustic harvest october pumpkin wood cozy cosy coffee vintage retro',
  neon: 'neon cyber cyberpunk futuristic synthwave vaporwave electric glow glowing robot tech hologram disco club sci-fi scifi',
  pastel: 'pastel soft cute baby delicate kawaii tender cotton spring unicorn',
  candy: 'candy sweet pink-ish love valentine bubblegum party fun playful birthday ice-cream',
  fire: 'fire lava volcano flame burning inferno dragon hot ember hell explosion',
  mono: 'monochrome noir bw black-and-white grayscale greyscale charcoal ink',
  studio:
    'product minimal minimalist studio clean elegant packaging white background catalogue catalog shot mockup cosmetic',
};

const EXTRA_WORDS: Record<Extra, string> = {
  sun: 'sun sunny sunrise sunset dawn dusk golden summer',
  moon: 'moon moonlit moonlight night midnight lunar crescent',
  stars: 'star stars starry night galaxy space cosmos midnight sparkle',
  clouds: 'cloud clouds cloudy sky overcast dreamy',
  birds: 'bird birds seagull gull flock freedom',
  rain: 'rain rainy storm monsoon',
  snow: 'snow snowy winter christmas blizzard snowfall',
  aurora: 'aurora northern borealis',
  mist: 'mist misty fog foggy haze hazy smoke dreamy',
  cabin: 'cabin cottage house hut lodge home',
  night: 'night midnight moonlit nocturnal starry moonlight',
  bottle: 'bottle perfume vase cosmetic serum wine lotion oil jar',
  cup: 'cup mug coffee tea espresso cappuccino latte',
  reflection: 'lake reflection mirror pond river reflected',
};

const COLOR_WORDS: Record<string, Color> = {
  red: lch(0.6, 0.22, 25),
  crimson: lch(0.5, 0.2, 18),
  scarlet: lch(0.6, 0.23, 30),
  orange: lch(0.74, 0.18, 55),
  amber: lch(0.8, 0.16, 78),
  gold: lch(0.8, 0.14, 88),
  yellow: lch(0.89, 0.17, 98),
  lime: lch(0.86, 0.2, 125),
  green: lch(0.65, 0.16, 148),
  emerald: lch(0.62, 0.14, 160),
  mint: lch(0.88, 0.09, 165),
  teal: lch(0.62, 0.1, 195),
  turquoise: lch(0.76, 0.12, 190),
  cyan: lch(0.82, 0.13, 205),
  blue: lch(0.58, 0.17, 255),
  navy: lch(0.32, 0.1, 262),
  indigo: lch(0.42, 0.17, 280),
  violet: lch(0.55, 0.19, 298),
  purple: lch(0.52, 0.2, 305),
  lavender: lch(0.78, 0.09, 298),
  magenta: lch(0.62, 0.26, 335),
  pink: lch(0.78, 0.14, 355),
  rose: lch(0.68, 0.17, 8),
  coral: lch(0.73, 0.16, 32),
  peach: lch(0.85, 0.09, 55),
  brown: lch(0.45, 0.08, 55),
  beige: lch(0.89, 0.04, 85),
  copper: lch(0.6, 0.12, 50),
};

export interface Reading {
  motif: Motif | null;
  mood: Mood | null;
  extras: ReadonlySet<Extra>;
  colors: readonly Color[];
}

/** Light and manner outweigh matter: a sea at sunset is lit by the sunset. */
const STRONG: ReadonlySet<Mood> = new Set(['dawn', 'sunset', 'night', 'neon', 'mono', 'fire', 'studio']);

const index = <K extends string>(table: Record<K, string>): ReadonlyMap<string, K[]> => {
  const words = new Map<string, K[]>();
  for (const [key, list] of Object.entries(table) as [K, string][]) {
    for (const word of list.split(' ')) words.set(word, [...(words.get(word) ?? []), key]);
  }
  return words;
};

const motifOf = index(MOTIF_WORDS);
const moodOf = index(MOOD_WORDS);
const extraOf = index(EXTRA_WORDS);

function lookUp<T>(table: ReadonlyMap<string, T>, word: string): T | undefined {
  const plain = table.get(word);
  if (plain !== undefined || !word.endsWith('s')) return plain;
  return table.get(word.slice(0, -1)) ?? (word.endsWith('es') ? table.get(word.slice(0, -2)) : undefined);
}

const MAX_WORDS = 400;

export function readWords(prompt: string): Reading {
  const text = prompt.normalize('NFKC').toLowerCase();
  const words = text.replaceAll(/\bblack (and|&) white\b/g, 'monochrome').match(/[\p{L}-]+/gu) ?? [];
  const motifs: Motif[] = [];
  const moods: Mood[] = [];
  const extras = new Set<Extra>();
  const colors: Color[] = [];
  for (const word of words.slice(0, MAX_WORDS)) {
    motifs.push(...(lookUp(motifOf, word) ?? []));
    moods.push(...(lookUp(moodOf, word) ?? []));
    for (const extra of lookUp(extraOf, word) ?? []) extras.add(extra);
    const color = COLOR_WORDS[word];
    if (color && colors.length < 2) colors.push(color);
  }
  return {
    motif: heaviest(motifs, () => 1),
    mood: heaviest(moods, (mood) => (STRONG.has(mood) ? 2 : 1)),
    extras,
    colors,
  };
}

/** What is said with most weight; of equals, what is said first: English names the subject early. */
function heaviest<T>(named: readonly T[], weightOf: (item: T) => number): T | null {
  const weights = new Map<T, number>();
  for (const item of named) weights.set(item, (weights.get(item) ?? 0) + weightOf(item));
  let best: T | null = null;
  for (const [item, weight] of weights) if (best === null || weight > (weights.get(best) ?? 0)) best = item;
  return best;
}
