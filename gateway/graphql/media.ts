import { Problem } from '../../platform/errors.js';

export const LEGACY_JSON = 'application/json';
export const RESPONSE_JSON = 'application/graphql-response+json';

/** Picks the answer's media type as "GraphQL over HTTP" says; clients that do not care get plain JSON. */
export function negotiate(accept: string | undefined): typeof LEGACY_JSON | typeof RESPONSE_JSON {
  if (accept === undefined || accept.trim() === '') return LEGACY_JSON;
  const wanted = accept
    .split(',')
    .map(parseRange)
    .filter(({ weight }) => weight > 0);
  const weightOf = (type: string) => {
    const exact = wanted.find((range) => range.type === type);
    const loose =
      wanted.find((range) => range.type === 'application/*') ?? wanted.find(({ type: any }) => any === '*/*');
    return { weight: (exact ?? loose)?.weight ?? 0, exact: exact !== undefined };
  };
  const response = weightOf(RESPONSE_JSON);
  const legacy = weightOf(LEGACY_JSON);
  // The newer type is only for those who name it: "*/*" is what old clients send.
  if (response.exact && response.weight >= legacy.weight) return RESPONSE_JSON;
  if (legacy.weight > 0) return LEGACY_JSON;
  throw new Problem('not_acceptable', `This endpoint answers ${RESPONSE_JSON} or ${LEGACY_JSON}.`);
}

function parseRange(text: string): { type: string; weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, weight: Number.isNaN(weight) ? 0 : weight };
}
