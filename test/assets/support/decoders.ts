/** Decoders that have nothing in common with the library that encodes: pngjs in JavaScript, libwebp and libaom as WebAssembly. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PNG } from 'pngjs';

export interface Decoded {
  width: number;
  height: number;
  /** Red, green, blue, alpha. */
  data: Uint8Array;
}

interface Codec {
  init(module: object): Promise<void>;
  default(bytes: ArrayBuffer): Promise<Decoded>;
}

const require = createRequire(import.meta.url);
// Node has it; the types of browsers, which would name it, are not part of this project.
const { WebAssembly } = globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } };

async function codec(kind: 'webp' | 'avif'): Promise<Codec> {
  const decoder = (await import(`@jsquash/${kind}/decode.js`)) as Codec;
  const wasm = await readFile(require.resolve(`@jsquash/${kind}/codec/dec/${kind}_dec.wasm`));
  await decoder.init(await WebAssembly.compile(wasm));
  return decoder;
}

const codecs = new Map<string, Promise<Codec>>();

function codecOf(kind: 'webp' | 'avif'): Promise<Codec> {
  const known = codecs.get(kind) ?? codec(kind);
  codecs.set(kind, known);
  return known;
}

/** Throws for anything that is not of that type. */
export async function decode(contentType: string, bytes: Uint8Array): Promise<Decoded> {
  if (contentType === 'image/png') return PNG.sync.read(Buffer.from(bytes));
  const kind = contentType === 'image/webp' ? 'webp' : 'avif';
  const own = new Uint8Array(bytes);
  return (await codecOf(kind)).default(own.buffer);
}

/** Peak signal-to-noise ratio of the colours, in decibels. */
export function likeness(a: Decoded, b: Decoded): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) if (i % 4 !== 3) sum += ((a.data[i] ?? 0) - (b.data[i] ?? 0)) ** 2;
  const mean = sum / (a.width * a.height * 3);
  return mean === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(255 ** 2 / mean);
}
