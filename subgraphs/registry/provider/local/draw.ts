/** From a prompt to shapes: which scene, in which colours, composed how. No pixels yet. */
import { Canvas } from './canvas.js';
import { animal } from './motifs/animal.js';
import { arches } from './motifs/arches.js';
import { city } from './motifs/city.js';
import { contours } from './motifs/contours.js';
import { desert } from './motifs/desert.js';
import { flow } from './motifs/flow.js';
import { flowers } from './motifs/flowers.js';
import { forest } from './motifs/forest.js';
import { geometry } from './motifs/geometry.js';
import { mountains } from './motifs/mountains.js';
import { portrait } from './motifs/portrait.js';
import { sea } from './motifs/sea.js';
import { space } from './motifs/space.js';
import { still } from './motifs/still.js';
import { atNight, MOODS, type Mood, type Palette, tinted, varied } from './palette.js';
import { type Random, randomOf } from './random.js';
import { paintWeather, type Scene } from './scene.js';
import { type Motif, type Reading, readWords } from './words.js';

const PAINTERS: Record<Motif, (scene: Scene) => void> = {
  mountains,
  sea,
  forest,
  city,
  space,
  desert,
  flowers,
  still,
  portrait,
  geometry,
  flow,
  contours,
  animal,
  arches,
};

/** What suits a motif when the prompt says nothing about mood. */
const MOODS_OF: Record<Motif, [Mood, ...Mood[]]> = {
  mountains: ['dawn', 'day', 'sunset', 'ice'],
  sea: ['ocean', 'sunset', 'dawn'],
  forest: ['forest', 'dawn', 'autumn'],
  city: ['sunset', 'night', 'dawn'],
  space: ['night', 'neon'],
  desert: ['desert', 'sunset'],
  flowers: ['pastel', 'candy', 'forest', 'studio'],
  still: ['studio', 'pastel', 'dawn'],
  portrait: ['pastel', 'sunset', 'autumn', 'ocean'],
  geometry: ['autumn', 'pastel', 'ocean', 'candy'],
  flow: ['sunset', 'neon', 'ocean', 'candy'],
  contours: ['ocean', 'desert', 'forest', 'sunset'],
  animal: ['sunset', 'autumn', 'dawn', 'candy'],
  arches: ['desert', 'dawn', 'pastel', 'sunset'],
};

/** For prompts without a word that names a scene. */
const ABSTRACT: [Motif, ...Motif[]] = ['flow', 'geometry', 'contours', 'arches', 'mountains', 'sea'];

export interface Drawing {
  svg: string;
  palette: Palette;
}

function paletteOf({ mood, colors, extras }: Reading, motif: Motif, random: Random): Palette {
  const base = tinted(MOODS[mood ?? random.pick(MOODS_OF[motif])], colors);
  return varied(extras.has('night') ? atNight(base) : base, random);
}

export function draw(prompt: string, seed: number, width: number, height: number): Drawing {
  const reading = readWords(prompt);
  const random = randomOf(`${seed}\n${prompt}`);
  const motif = reading.motif ?? random.pick(ABSTRACT);
  const palette = paletteOf(reading, motif, random);
  const canvas = new Canvas(width, height);
  const scene: Scene = { canvas, palette, random, extras: reading.extras };
  PAINTERS[motif](scene);
  paintWeather(scene);
  return { svg: canvas.svg(), palette };
}
