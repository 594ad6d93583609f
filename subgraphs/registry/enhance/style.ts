/** Which kind of picture a prompt asks for, by its own words, and what is said of that kind to bring it out. */

export interface Style {
  name: string;
  /** Any of these words shows that it is meant. */
  signs: RegExp;
  cues: readonly string[];
}

/** The first that matches is it: what names a medium stands before what names a subject. */
export const STYLES: readonly Style[] = [
  {
    name: 'pixel-art',
    signs: /\b(pixel[ -]?art|8[ -]?bit|16[ -]?bit|isometric)\b/i,
    cues: ['precise geometric forms', 'limited palette', 'crisp edges'],
  },
  {
    name: 'line-art',
    signs: /\b(line[ -]?art|sketch|ink|engraving|blueprint|technical drawing)\b/i,
    cues: ['confident line work', 'clear negative space'],
  },
  {
    name: 'painting',
    signs: /\b(painting|watercolou?r|oil on canvas|gouache|impressionist|brush ?strokes?)\b/i,
    cues: ['visible brushwork', 'rich pigment', 'layered tones'],
  },
  {
    name: 'flat-design',
    signs: /\b(logo|icon|flat design|vector|infographic|sticker)\b/i,
    cues: ['clean shapes', 'even colour fields', 'strong silhouette'],
  },
  {
    name: 'render',
    signs: /\b(3d|render(ed|ing)?|octane|blender|cgi|voxel)\b/i,
    cues: ['physically based materials', 'soft global illumination'],
  },
  {
    name: 'product',
    signs: /\b(product (shot|photo)|packshot|studio shot|on white background)\b/i,
    cues: ['even studio lighting', 'true colours', 'sharp focus'],
  },
  {
    name: 'portrait',
    signs: /\b(portrait|headshot|face|selfie)\b/i,
    cues: ['natural skin texture', 'focused eyes', 'shallow depth of field'],
  },
  {
    name: 'scenery',
    signs: /\b(landscape|mountains?|forest|sea|ocean|desert|valley|skyline|city|street|alley(way)?)\b/i,
    cues: ['depth from foreground to horizon', 'coherent light'],
  },
  {
    name: 'photograph',
    signs: /\b(photo(graph|realistic|graphy)?|35 ?mm|bokeh|dslr|lens)\b/i,
    cues: ['natural light', 'true-to-life texture'],
  },
];

export function styleOf(prompt: string): Style | null {
  return STYLES.find(({ signs }) => signs.test(prompt)) ?? null;
}
