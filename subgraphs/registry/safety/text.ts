/** The text in the bytes of a file, for whoever checks it: what a program would read as text must not pass unread. */

const HEAD = 8_192;
// Shorter ones are in the bytes of any picture by chance.
const RUN = /[\t\n\r\x20-\x7e]{16,}/g;

export function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le');
  if (first === 0xfe && second === 0xff) return swapped(bytes).toString('utf16le');
  if (!bytes.subarray(0, HEAD).includes(0)) return bytes.toString('utf8');
  return (bytes.toString('latin1').match(RUN) ?? []).join('\n');
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16();
}
