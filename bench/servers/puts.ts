/** The floor of runs: each request puts a picture into the store with the bare SDK, and nothing else. */
import { createServer } from 'node:http';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readPictures } from '../support/pictures.js';

const { PORT, HOST, BENCH_PICTURES_DIR = '', S3_ENDPOINT = '', S3_BUCKET = '' } = process.env;
const { S3_ACCESS_KEY_ID = '', S3_SECRET_ACCESS_KEY = '' } = process.env;
const pictures = await readPictures(BENCH_PICTURES_DIR);
const client = new S3Client({
  region: 'us-east-1',
  endpoint: S3_ENDPOINT,
  forcePathStyle: true,
  credentials: { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY },
  requestChecksumCalculation: 'WHEN_REQUIRED',
});
let next = 0;

async function put(): Promise<void> {
  const n = next++;
  const Body = pictures[n % pictures.length] ?? Buffer.alloc(0);
  // Keys spread over directories as the platform's do.
  const Key = `bench/${(n % 256).toString(16).padStart(2, '0')}/${process.pid}-${n}`;
  await client.send(new PutObjectCommand({ Bucket: S3_BUCKET, Key, Body, ContentType: 'image/png' }));
}

const server = createServer((request, response) => {
  request.resume();
  const answer = (status: number) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"complete"}');
  if (request.url === '/healthz') answer(200);
  else
    put().then(
      () => answer(200),
      () => answer(500),
    );
});
server.listen(Number(PORT), HOST ?? '127.0.0.1');
