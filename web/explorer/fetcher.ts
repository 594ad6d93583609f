import type { Fetcher } from '@graphiql/toolkit';
import { post, readResult } from '../shared/graph';

export function createFetcher(key: string): Fetcher {
  return (params) => post(params, key).then(readResult);
}
