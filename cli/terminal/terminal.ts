/** The terminal as a command sees it: results on stdout, all else on stderr, and no escape sequence from anybody but us. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

export type Format = 'json' | 'table';

export interface Stream extends Writable {
  isTTY?: boolean;
  columns?: number;
}

export interface Terminal {
  stdin: Readable & { isTTY?: boolean };
  stdout: Stream;
  stderr: Stream;
}

/** Names and texts come from other people: what would move the cursor or hide text is taken out. Line breaks stay. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

export async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** What a person at the terminal answers; null where there is nobody to ask. */
export async function ask({ stdin, stderr }: Terminal, question: string): Promise<string | null> {
  if (!stdin.isTTY || !stderr.isTTY) return null;
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
