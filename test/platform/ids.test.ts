import { describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { KeyId, newId, PlainId, parseIdOr404, UserId } from '../../platform/ids.js';

describe('ids', () => {
  it('are UUIDs of version 7 that carry the time', () => {
    const now = Date.UTC(2031, 0, 2);
    const id = newId(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(now);
  });

  it('sort in the order in which they were made and never repeat, also many within a millisecond', () => {
    const ids = Array.from({ length: 20_000 }, () => newId());
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are shown with their prefix and read with or without it, in any case', () => {
    const id = newId();
    expect(UserId.format(id)).toBe(`usr_${id}`);
    expect(UserId.parse(`usr_${id}`)).toBe(id);
    expect(UserId.parse(id.toUpperCase())).toBe(id);
    expect(PlainId.format(id)).toBe(id);
  });

  it.each(['', 'usr_', 'key_', 'nonsense', 'usr_usr_', `${newId()}x`, '../../etc/passwd'])('refuse %j', (text) => {
    expect(UserId.parse(text)).toBeNull();
    expect(() => parseIdOr404(KeyId, text, 'key')).toThrow(Problem);
  });
});
