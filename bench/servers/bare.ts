/** The floor: a Fastify route that answers with a value from memory, without anything of ours around it. */
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';

const { PORT, HOST, BENCH_ANSWER_FILE = '' } = process.env;
const answer: unknown = JSON.parse(readFileSync(BENCH_ANSWER_FILE, 'utf8'));

const app = Fastify();
app.get('/healthz', async () => ({ status: 'ok' }));
app.get('/v1/me', async () => answer);
app.post('/graphql', async () => answer);
await app.listen({ port: Number(PORT), host: HOST ?? '127.0.0.1' });
