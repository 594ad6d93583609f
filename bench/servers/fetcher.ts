/** Somebody with a browser: is given paths, fetches each to its end, and says how long each took and what came. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Pool } from 'undici';
import { eachTimed } from '../support/lanes.js';

interface Order {
  origin: string;
  paths: readonly string[];
  lanes: number;
}

const { PORT, HOST } = process.env;

createServer(async (request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  const { origin, paths, lanes } = (await json(request)) as Order;
  const pool = new Pool(origin, { connections: lanes });
  const received = new Map<string, ArrayBuffer>();
  const timed = await eachTimed(paths, lanes, async (path) => {
    const { body } = await pool.request({ path, method: 'GET' });
    received.set(path, await body.arrayBuffer());
  });
  await pool.close();
  // Looked at when nothing is measured any more.
  const hashes = paths.map((path) =>
    createHash('sha256')
      .update(Buffer.from(received.get(path) ?? new ArrayBuffer()))
      .digest('base64url'),
  );
  response.end(JSON.stringify({ ...timed, hashes }));
}).listen(Number(PORT), HOST);
