/**
 * Routes as one would write them by hand: the same command to the database as the platform's, through the same driver
 * settings, and the same answer. Who is calling is looked up in memory.
 */
import { readFileSync } from 'node:fs';
import Fastify, { type FastifyRequest } from 'fastify';
import { KeyId, PlainId, UserId } from '../../platform/ids.js';
import { encodeCursor } from '../../platform/mongo/page.js';
import { connectMongo } from '../../platform/mongo/store.js';
import type { Caller } from '../../platform/scope.js';
import { API_KEYS, type ApiKeyDoc } from '../../subgraphs/accounts/api-key/api-key.model.js';
import { SUMMARY_FIELDS, TEAMS, type TeamDoc } from '../../subgraphs/accounts/team/team.model.js';

const { PORT, HOST, MONGODB_URL = '', MONGODB_DATABASE = '', BENCH_CALLERS_FILE = '' } = process.env;
const callers = new Map(Object.entries(JSON.parse(readFileSync(BENCH_CALLERS_FILE, 'utf8')) as Record<string, Caller>));
const { db } = await connectMongo({ url: MONGODB_URL, database: MONGODB_DATABASE, appName: 'darkroom-bench-twin' });
const keys = db.collection<ApiKeyDoc>(API_KEYS.name);
const teams = db.collection<TeamDoc>(TEAMS.name);

class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number) {
    super('refused');
    this.statusCode = statusCode;
  }
}

function callerOf({ headers }: FastifyRequest): Caller {
  const caller = callers.get(headers.authorization?.slice('Bearer '.length) ?? '');
  if (!caller) throw new Refusal(401);
  return caller;
}

function keyView({ _id, name, prefix, createdAt, lastUsedAt }: ApiKeyDoc) {
  return { id: KeyId.format(_id), name, prefix, created_at: createdAt, last_used_at: lastUsedAt };
}

const app = Fastify();
app.get('/healthz', async () => ({ status: 'ok' }));

app.get<{ Querystring: { limit?: string } }>('/v1/api-keys', async (request) => {
  const { userId } = callerOf(request);
  const limit = Number(request.query.limit ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw new Refusal(400);
  const found = await keys
    .find({ userId })
    .sort({ _id: -1 })
    .limit(limit + 1)
    .toArray();
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(keyView), next_cursor: last && found.length > limit ? encodeCursor(last._id) : null };
});

app.get<{ Params: { id: string } }>('/v1/api-keys/:id', async (request) => {
  const { userId } = callerOf(request);
  const id = KeyId.parse(request.params.id);
  const [found] = id === null ? [] : await keys.find({ _id: { $in: [id] }, userId }).toArray();
  if (!found) throw new Refusal(404);
  return keyView(found);
});

app.get<{ Params: { id: string } }>('/v1/teams/:id', async (request) => {
  const { userId } = callerOf(request);
  const id = PlainId.parse(request.params.id);
  const projection = { ...SUMMARY_FIELDS, rev: 1 };
  const found = id === null ? null : await teams.findOne({ _id: id, 'members.userId': userId }, { projection });
  if (!found) throw new Refusal(404);
  const { _id, handle, ownerId, createdAt, updatedAt } = found;
  const role = ownerId === userId ? 'owner' : 'member';
  return {
    team_id: _id,
    handle,
    owner_user_id: UserId.format(ownerId),
    role,
    created_at: createdAt,
    updated_at: updatedAt,
  };
});

await app.listen({ port: Number(PORT), host: HOST ?? '127.0.0.1' });
