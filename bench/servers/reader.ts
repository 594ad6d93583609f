/** The S3 client with nothing around it: is given keys, reads each object to its end, and says how long each took. */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { storeAt } from '../images/store.js';
import { eachTimed } from '../support/lanes.js';

interface Order {
  keys: readonly string[];
  lanes: number;
}

const { PORT, HOST, ...env } = process.env;
// Only for the client that it holds, which is set up as the platform's is.
const { client, bucket } = storeAt(env);

createServer(async (request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  const { keys, lanes } = (await json(request)) as Order;
  const timed = await eachTimed(keys, lanes, async (key) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    await Body?.transformToByteArray();
  });
  response.end(JSON.stringify(timed));
}).listen(Number(PORT), HOST);
