import { z } from 'zod';
import { pageQuery, type Route, route } from '../../route.js';

export const models: Route[] = [
  route({
    method: 'GET',
    path: '/v1/models',
    tag: 'Image generators',
    id: 'listImageModels',
    summary: 'The models that generators can be deployed with',
    description:
      'By name, with what a picture costs, the sizes and what `params` may hold. `available` is false for a model whose ' +
      'provider is not set up here, or that its provider has retired. `tiers` tells what a system tier draws with now.',
    auth: 'none',
    query: z.object(pageQuery),
    status: 200,
    operation: `query ImageModels($first: Int, $after: String) {
      models(first: $first, after: $after) {
        items: nodes {
          slug provider contracts price prices { size quality usd } sizes default_size: defaultSize available tiers
          parameters { name type description minimum maximum values default } retires_at: retiresAt
        }
        next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
];
