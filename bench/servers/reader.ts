/** The S3 client with nothing around it: is given keys, reads each object to its end, and says how long each took. */
import { createServer } from 'node:http';
import { buffer, json } from 'node:stream/consumers';
import { storeAt } from '../images/store.js';

const { PORT, HOST, ...env } = process.env;
const store = storeAt(env);

createServer(async (request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  const times: number[] = [];
  for (const key of (await json(request)) as string[]) {
    const start = performance.now();
    const bytes = await store.read(key);
    if (!bytes) throw new Error(`there is no object ${key}`);
    await buffer(bytes);
    times.push(performance.now() - start);
  }
  response.end(JSON.stringify(times));
}).listen(Number(PORT), HOST);
