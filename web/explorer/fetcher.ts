import type { Fetcher, FetcherReturnType } from '@graphiql/toolkit';
import { post, readResult } from '../shared/graph';

export function createFetcher(key: string): Fetcher {
  // The toolkit's type asks for instances of GraphQLError; it shows what any answer has.
  return (params) => post(params, key).then(readResult) as FetcherReturnType;
}
