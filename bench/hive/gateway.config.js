/** Hive as its documentation sets it up for production, with one hook: our subgraphs want to know who is calling. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import { SCOPE_HEADER, signScope } from '../../dist/platform/scope.js';
import { Secrets } from '../../dist/platform/secrets.js';

const { BENCH_SECRET_KEY, BENCH_CALLERS_FILE, HOST, PORT } = process.env;
const secrets = new Secrets(BENCH_SECRET_KEY);
const callers = new Map(Object.entries(JSON.parse(readFileSync(BENCH_CALLERS_FILE, 'utf8'))));

// Signing is our subgraphs' demand and not Hive's work, so a header is used again for a third of its life.
const REUSE_MS = 10_000;
const signed = new Map();

function scopeHeader(authorization, subgraph) {
  const key = `${subgraph} ${authorization}`;
  const now = Date.now();
  const known = signed.get(key);
  if (known && known.until > now) return known.header;
  const caller = callers.get(authorization?.slice('Bearer '.length)) ?? null;
  const scope = { requestId: 'bench', network: '127.0.0.1', caller, internal: false };
  const header = signScope(secrets, subgraph, scope, now);
  signed.set(key, { header, until: now + REUSE_MS });
  return header;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export const gatewayConfig = {
  host: HOST,
  port: Number(PORT),
  logging: false,
  pollingInterval: 0,
  disableWebsockets: true,
  unifiedGraphHandler,
  customAgent: () => agent,
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, subgraphName }) => ({
      [SCOPE_HEADER]: scopeHeader(request.headers.get('authorization'), subgraphName),
    }),
  },
};
