import { expect, it } from 'vitest';
import { UnderWay } from '../../subgraphs/images/upload/under-way.js';

it('an account may have sixteen uploads under way, and a process 128', () => {
  const underWay = new UnderWay();
  const mine = Array.from({ length: 16 }, () => underWay.enter('ada'));
  expect(() => underWay.enter('ada')).toThrow(expect.objectContaining({ slug: 'rate_limited' }));
  mine[0]?.();
  mine.push(underWay.enter('ada'));
  for (let i = 0; i < 112; i++) underWay.enter(`other-${i}`);
  expect(() => underWay.enter('ben')).toThrow(expect.objectContaining({ slug: 'unavailable' }));
  mine[1]?.();
  underWay.enter('ben');
});
