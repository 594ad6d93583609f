/** Where pictures may be fetched from, for runs and for callers. */
import { isPublicAddress } from '../../platform/fetch/address.js';
import { SafeFetcher } from '../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../platform/fetch/rules.js';

export interface FetchSettings {
  maxUploadBytes: number;
  /** Host names and wildcards that outputs may be fetched from. */
  outputHosts: readonly string[];
  allowPrivateFetch: boolean;
}

export interface Fetching {
  fetcher: SafeFetcher;
  outputs: FetchRules;
  references: FetchRules;
}

export function fetchingOf({ maxUploadBytes, outputHosts, allowPrivateFetch }: FetchSettings): Fetching {
  // Three attempts must fit into the time for which other processes wait for an answer.
  const limits = { maxBytes: maxUploadBytes, totalMs: 15_000, idleMs: 10_000 };
  return {
    fetcher: new SafeFetcher({ allows: allowPrivateFetch ? () => true : isPublicAddress }),
    outputs: { ...limits, hosts: outputHosts, schemes: allowPrivateFetch ? ['http:', 'https:'] : ['https:'] },
    references: { ...limits, hosts: null, schemes: ['http:', 'https:'] },
  };
}
