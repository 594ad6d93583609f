/**
 * Sends pictures, several at once, when it is told to, and says how long each took: as forms to the platform, or with the
 * S3 client straight into the store. No two pictures are the same.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { Pool } from 'undici';
import { storeAt } from '../images/store.js';

export interface SendOrder {
  /** Undefined: into the store. */
  to?: { url: string; keys: readonly string[] };
  edge: number;
  count: number;
  atOnce: number;
}

export interface Sent {
  seconds: number;
  /** Of each picture, in milliseconds. */
  times: number[];
}

const { PORT, HOST, ...env } = process.env;
const store = storeAt(env);

const HEAD = '--bench\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
const TAIL = '\r\n--bench\r\ncontent-disposition: form-data; name="visibility"\r\n\r\npublic\r\n--bench--\r\n';
const TYPE = 'multipart/form-data; boundary=bench';

/** Where a PNG's chunks begin that follow its header. */
const AFTER_HEADER = 33;
const NAME = 'tEXtbench\0';
const RANDOM = 16;

/** A picture that is as large as its pixels, within its form. */
class Form {
  readonly bytes: Buffer;
  readonly picture: Buffer;

  constructor(png: Buffer) {
    const text = Buffer.alloc(4 + NAME.length + RANDOM + 4);
    text.writeUInt32BE(NAME.length - 4 + RANDOM);
    text.write(NAME, 4, 'latin1');
    const parts = [png.subarray(0, AFTER_HEADER), text, png.subarray(AFTER_HEADER)];
    this.bytes = Buffer.concat([Buffer.from(HEAD), ...parts, Buffer.from(TAIL)]);
    this.picture = this.bytes.subarray(HEAD.length, this.bytes.length - TAIL.length);
  }

  change(): void {
    const start = AFTER_HEADER + 4;
    const end = start + NAME.length + RANDOM;
    randomBytes(RANDOM / 2)
      .toString('hex')
      .split('')
      .forEach((digit, i) => {
        this.picture.write(digit, end - RANDOM + i, 'latin1');
      });
    this.picture.writeUInt32BE(crc32(this.picture.subarray(start, end)), end);
  }
}

const pngs = new Map<number, Promise<Buffer>>();

function pngOf(edge: number): Promise<Buffer> {
  let png = pngs.get(edge);
  if (!png) {
    const raw = { width: edge, height: edge, channels: 3 } as const;
    png = sharp(randomBytes(3 * edge * edge), { raw })
      .png({ compressionLevel: 0 })
      .toBuffer();
    pngs.set(edge, png);
  }
  return png;
}

async function put({ picture }: Form): Promise<void> {
  const name = randomBytes(8).toString('hex');
  // Keys spread over directories as the platform's do.
  const Key = `bench/${name.slice(0, 2)}/${name}`;
  await store.client.send(new PutObjectCommand({ Bucket: store.bucket, Key, Body: picture, ContentType: 'image/png' }));
}

async function post(pool: Pool, key: string, { bytes }: Form): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': TYPE };
  const { statusCode, body } = await pool.request({ path: '/v1/images', method: 'POST', headers, body: bytes });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`an upload answered ${statusCode}: ${text}`);
}

async function send({ to, edge, count, atOnce }: SendOrder): Promise<Sent> {
  const png = await pngOf(edge);
  const forms = Array.from({ length: atOnce }, () => new Form(png));
  const pool = to && new Pool(to.url, { connections: atOnce });
  const times: number[] = [];
  let left = count;
  const lane = async (form: Form, n: number) => {
    const key = to?.keys[n % to.keys.length] ?? '';
    while (left-- > 0) {
      form.change();
      const start = performance.now();
      await (pool ? post(pool, key, form) : put(form));
      times.push(performance.now() - start);
    }
  };
  const begun = performance.now();
  await Promise.all(forms.map(lane));
  const seconds = (performance.now() - begun) / 1000;
  await pool?.close();
  return { seconds, times };
}

createServer((request, response) => {
  if (request.method === 'GET') return void response.end('ok');
  json(request)
    .then((order) => send(order as SendOrder))
    .then((sent) => response.end(JSON.stringify(sent)))
    .catch((error: Error) => response.writeHead(500).end(error.message));
}).listen(Number(PORT), HOST);
