/** What an access token can be for. Each is an address under PUBLIC_URL, and a token of one is good at no other. */
export const RESOURCES = ['', '/mcp', '/v2/mcp'] as const;

/** The path of a resource: nothing for the REST paths and the graph, taken together. */
export type Resource = (typeof RESOURCES)[number];

const DOORS = RESOURCES.filter((resource) => resource !== '');

/** The resource that a request is for. */
export function resourceOf(url: string): Resource {
  const path = url.split('?', 1)[0] ?? '';
  return DOORS.find((door) => path === door || path.startsWith(`${door}/`)) ?? '';
}
