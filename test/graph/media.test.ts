import { expect, it } from 'vitest';
import { LEGACY_JSON, negotiate, RESPONSE_JSON } from '../../gateway/graphql/media.js';

it.each([
  [undefined, LEGACY_JSON],
  ['', LEGACY_JSON],
  ['*/*', LEGACY_JSON],
  ['application/*', LEGACY_JSON],
  ['application/json', LEGACY_JSON],
  ['application/json; charset=utf-8', LEGACY_JSON],
  [RESPONSE_JSON, RESPONSE_JSON],
  [`${RESPONSE_JSON}, application/json;q=0.9`, RESPONSE_JSON],
  [`${RESPONSE_JSON};q=0.5, application/json`, LEGACY_JSON],
  [`${RESPONSE_JSON};q=0, */*`, LEGACY_JSON],
  ['application/json;q=0, application/graphql-response+json', RESPONSE_JSON],
])('Accept: %s is answered with %s', (accept, media) => {
  expect(negotiate(accept)).toBe(media);
});

it.each(['text/html', 'image/*', 'application/json;q=0', 'application/xml, text/plain'])('refuses %s', (accept) => {
  expect(() => negotiate(accept)).toThrow(/answers application/);
});
