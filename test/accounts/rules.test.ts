import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId, UserId } from '../../platform/ids.js';
import { checkRename } from '../../subgraphs/accounts/handle/rename-limits.js';
import {
  parseEmail,
  parseHandle,
  parseKeyName,
  readHandle,
  readUserIdentifier,
} from '../../subgraphs/accounts/rules.js';

describe('an e-mail address', () => {
  it.each([
    'a@example.com',
    "o'neil+tag@sub.example.co.uk",
    'first.last@xn--bcher-kva.example',
    '1@2.xn--p1ai',
    `${'a'.repeat(64)}@example.com`,
  ])('may be %s', (email) => {
    expect(parseEmail(email)).toBe(email);
  });

  it.each([
    'a',
    '@example.com',
    'a@',
    'a@b',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
    'a@-example.com',
    'a@example-.com',
    'a@example..com',
    'a@example.c',
    'a@[127.0.0.1]',
    '"a b"@example.com',
    'a,b@example.com',
    'a@example.com,b@example.com',
    'a@example.com\nb@example.com',
    'A <a@example.com>',
    `${'a'.repeat(65)}@example.com`,
  ])('may not be %j', (email) => {
    expect(() => parseEmail(email)).toThrow('must be an e-mail address');
  });

  it('holds nothing that could end a header, whatever is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.emailAddress(), (noise, email) => {
        for (const text of [noise, `${noise}${email}`, `${email}${noise}`]) {
          try {
            expect(parseEmail(text)).toMatch(/^[\x21-\x7e]+$/);
          } catch (error) {
            expect((error as Error).name).toBe('Problem');
          }
        }
      }),
    );
  });

  it('is refused in no time, however long and however close to an address', () => {
    const start = performance.now();
    for (const text of ['a'.repeat(1e6), `${'a.'.repeat(5e5)}@`, `a@${'a.'.repeat(120)}`, `a@${'a-'.repeat(120)}`]) {
      expect(() => parseEmail(text)).toThrow();
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('a handle', () => {
  it('is looked for with and without @, in any case', () => {
    expect(['ada', '@ada', ' @ADA '].map(readHandle)).toEqual(['ada', 'ada', 'ada']);
    expect(['', '@', '@@ada', 'a', 'a_b'].map(readHandle)).toEqual([null, null, null, null, null]);
  });

  it('cannot be mistaken for an id', () => {
    expect(() => parseHandle(newId())).toThrow();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 3, maxLength: 40 }), (text) => {
        let handle: string | undefined;
        try {
          handle = parseHandle(text);
        } catch {
          return;
        }
        expect(UserId.parse(handle)).toBeNull();
        expect(readUserIdentifier(handle)).toEqual({ handle });
        expect(readUserIdentifier(`@${handle}`)).toEqual({ handle });
      }),
    );
  });
});

describe('the name of a key', () => {
  it('is trimmed and may be in any language', () => {
    expect(parseKeyName('  Schlüssel für 図書館 🗝️ ')).toBe('Schlüssel für 図書館 🗝️');
  });
});

describe('the limits on renaming', () => {
  it('never let a fourth rename into a year or a second into 90 days', () => {
    const day = 86_400_000;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 30 }), (gaps) => {
        let now = Date.UTC(2026, 0, 1);
        const renames: Date[] = [];
        for (const gap of gaps) {
          now += gap * day;
          try {
            checkRename(renames, new Date(now));
          } catch {
            continue;
          }
          renames.push(new Date(now));
        }
        const years = renames.map((rename) => rename.getUTCFullYear());
        for (const year of years) expect(years.filter((other) => other === year).length).toBeLessThanOrEqual(3);
        renames.slice(1).forEach((rename, i) => {
          expect(rename.getTime() - (renames[i]?.getTime() ?? 0)).toBeGreaterThanOrEqual(90 * day);
        });
      }),
    );
  });
});
