import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../../platform/errors.js';
import { checked } from '../../platform/rules.js';

const rules = z.object({
  text: z.string().min(2).max(4),
  number: z.number().min(1).max(9),
  list: z.array(z.boolean()).max(1),
  one: z.enum(['a', 'b']),
  own: z.string().max(1, 'must be short'),
});

function said(given: object): Record<string, string> {
  try {
    checked(rules, { text: 'abc', number: 1, list: [], one: 'a', own: '', ...given });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return Object.fromEntries((error.options.details ?? []).map(({ field, message }) => [field, message]));
  }
  return {};
}

describe('what is said of a bad field', () => {
  it.each([
    [{ text: undefined }, { text: 'is required' }],
    [{ text: 5 }, { text: 'must be a text' }],
    [{ text: 'abcde' }, { text: 'must have at most 4 characters' }],
    [{ text: 'a' }, { text: 'must have at least 2 characters' }],
    [{ number: '1' }, { number: 'must be a number' }],
    [{ number: 10 }, { number: 'must be at most 9' }],
    [{ number: 0 }, { number: 'must be at least 1' }],
    [{ list: [true, false] }, { list: 'must have at most 1 items' }],
    [{ list: [1] }, { 'list.0': 'must be true or false' }],
    [{ one: 'c' }, { one: 'must be one of a, b' }],
    [{ own: 'ab' }, { own: 'must be short' }],
  ])('of %j is %j', (given, expected) => {
    expect(said(given)).toEqual(expected);
  });

  it('names the body where it is no object', () => {
    expect(() => checked(rules, [])).toThrow('body: must be an object');
  });
});
