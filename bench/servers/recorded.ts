/**
 * Stands in for the subgraphs where gateways alone are to be measured: asks the real one when it hears a question for
 * the first time, and repeats the answer from then on.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { SCOPE_HEADER } from '../../platform/scope.js';

const { PORT, HOST, BENCH_SUBGRAPHS = '{}' } = process.env;
const origins = new Map(Object.entries(JSON.parse(BENCH_SUBGRAPHS) as Record<string, string>));
const answers = new Map<string, string>();

/** The signed header differs from request to request; the same caller gets the same answer. */
function callerIn(scopeHeader: string): string {
  const [payload = ''] = scopeHeader.split('.', 1);
  return /"userId":"([^"]+)"/.exec(Buffer.from(payload, 'base64url').toString('latin1'))?.[1] ?? '';
}

async function ask(origin: string, scopeHeader: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', [SCOPE_HEADER]: scopeHeader };
  const response = await fetch(`${origin}/graphql`, { method: 'POST', headers, body });
  const answer = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${answer}`);
  return answer;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, subgraph = '', action] = (request.url ?? '').split('/');
  const origin = origins.get(subgraph);
  if (origin === undefined || action !== 'graphql') return void response.end('{}');
  const scopeHeader = String(request.headers[SCOPE_HEADER]);
  const body = await text(request);
  const key = `${subgraph} ${callerIn(scopeHeader)} ${body}`;
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = await ask(origin, scopeHeader, body);
    answers.set(key, answer);
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
  response.end(answer);
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: Error) => response.writeHead(502).end(error.message));
});
server.keepAliveTimeout = 72_000;
server.listen(Number(PORT), HOST);
