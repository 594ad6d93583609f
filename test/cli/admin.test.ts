/** How the words of `darkroom admin` are read. */
import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { readCall, UsageError } from '../../cli/admin.js';
import { completionAnswer } from '../../cli/darkroom-words.js';

const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);

it('gives every act an id, and names who gives the command', () => {
  expect(readCall(['suspend', '@rogue', '--reason', 'spam'])).toEqual({
    path: '/suspension',
    body: { user: '@rogue', suspended: true, reason: 'spam', act: uuid, operator: userInfo().username },
    act: uuid,
  });
  expect(readCall(['tier', 'a@b.c', 'pro', '--act', 'mine'])).toMatchObject({ act: 'mine', body: { act: 'mine' } });
});

it.each([
  [['--credits', '300'], { unit: 'CREDITS', amount: 300, expires: null }],
  [['--usd', '2.5'], { unit: 'USD_MICROS', amount: 2_500_000 }],
  [['--usd', '0.000001'], { unit: 'USD_MICROS', amount: 1 }],
  [['--usd', '1', '--expires', '2999-01-31'], { expires: '2999-01-31T00:00:00.000Z' }],
])('reads a grant of %j', (words, body) => {
  expect(readCall(['grant', 'x', ...words])).toMatchObject({ path: '/grant', body });
});

it.each([
  [['promote', 'x']],
  [['__proto__', 'x']],
  [['suspend']],
  [['suspend', 'x', 'y']],
  [['grant', 'x']],
  [['grant', 'x', '--credits', '0']],
  [['grant', 'x', '--credits', '1.5']],
  [['grant', 'x', '--credits', '1', '--usd', '1']],
  [['grant', 'x', '--usd', '0']],
  [['grant', 'x', '--usd', '1.1234567']],
  [['grant', 'x', '--credits', '5', '--expires', 'soon']],
  [['plan', 'x']],
  [['show', 'x', '--reason', 'y']],
  [['audit', '--act', 'y']],
])('refuses %j with what it takes', (words) => {
  expect(() => readCall(words)).toThrow(UsageError);
});

it('shows its help for no words, or when asked', () => {
  expect(readCall([])).toBeNull();
  expect(readCall(['grant', '--help'])).toBeNull();
});

it('is completed by shells, with the other words of the program', () => {
  const offered = (...words: string[]) =>
    completionAnswer(['__complete', '--', ...words])
      ?.trim()
      .split('\n');
  expect(offered('s')).toEqual(['start', 'subgraph']);
  expect(offered('subgraph', 'a')).toEqual(['accounts']);
  expect(offered('admin', 'su')).toEqual(['suspend']);
  expect(offered('admin', 'grant', '--')).toEqual(['--act', '--credits', '--expires', '--help', '--reason', '--usd']);
  expect(completionAnswer(['completion', 'fish'])).toContain('darkroom __complete');
  expect(completionAnswer(['completion', 'tcsh'])).toBeNull();
});
