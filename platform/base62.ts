/** 256 bits as 43 characters that need no quoting anywhere. */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 43;
const BYTES = 32;
/** As many digits as fit into a number: each step of long arithmetic is slow. */
const STEP = 8;

const VALUES = new Map(Array.from(DIGITS, (digit, value) => [digit, value]));

/** Of 32 bytes. */
export function toBase62(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let i = 0; i < LENGTH; i++) {
    text = DIGITS.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text;
}

/** Null for what toBase62() did not make. */
export function fromBase62(text: string): Buffer | null {
  if (text.length !== LENGTH) return null;
  let value = 0n;
  for (let at = 0; at < LENGTH; at += STEP) {
    const digits = text.slice(at, at + STEP);
    let part = 0;
    for (const digit of digits) {
      const added = VALUES.get(digit);
      if (added === undefined) return null;
      part = part * 62 + added;
    }
    value = value * 62n ** BigInt(digits.length) + BigInt(part);
  }
  const hex = value.toString(16).padStart(2 * BYTES, '0');
  return hex.length === 2 * BYTES ? Buffer.from(hex, 'hex') : null;
}
