/**
 * What callers and providers write does not lead into our network, as the program is when nothing is set. A server on
 * loopback must hear nothing; that it would be heard otherwise shows with ALLOW_PRIVATE_FETCH on.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCompatibleWithUrls } from '../providers/openai.js';
import { png } from '../providers/pictures.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';
import { type JudgeServer, openChatServer } from '../verifiers/support/judge-servers.js';

const HOSTS = ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'];

describe.each([
  ['by default', {}, false],
  ['with ALLOW_PRIVATE_FETCH', { ALLOW_PRIVATE_FETCH: 'on' }, true],
] as const)('a server on loopback, %s,', (_name, env, reached) => {
  let provider: StandIn;
  let judge: JudgeServer;
  let inside: Server;
  let port: number;
  /** Connections, so that one that comes to no request counts too. */
  let heard = 0;
  let files = '';
  let platform: Platform;
  let client: Client;
  let ada: Account;

  beforeAll(async () => {
    provider = await openCompatibleWithUrls(() => files);
    judge = await openChatServer();
    const picture = await png(64, 64);
    inside = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).end(picture);
    });
    inside.on('connection', () => heard++);
    await new Promise<void>((done) => inside.listen(0, '127.0.0.1', done));
    port = (inside.address() as AddressInfo).port;
    platform = await oneProcess({
      ...env,
      LOCAL_PROVIDER: 'on',
      OPENAI_IMAGE_BASE_URL: `${provider.url}/v1`,
      OPENAI_IMAGE_MODELS: 'plain=0.01',
      JUDGE_URL: `${judge.url}/v1`,
    });
    client = clientOf(platform);
    ada = await client.account('ada@example.com');
  });
  afterAll(async () => {
    await platform?.stop();
    await new Promise((done) => inside?.close(done));
    await judge?.close();
    await provider?.close();
  });

  const addresses = () => HOSTS.map((host) => `http://${host}:${port}/secret.png`);

  it(`is ${reached ? '' : 'not '}asked for the reference of a run`, async () => {
    heard = 0;
    for (const reference_image_url of addresses()) {
      const { status, body } = await client.rest('POST', '/v1/image-generators/system:image-standard/runs', ada.key, {
        prompt: 'x',
        reference_image_url,
        params: { image_size: '64x64' },
      });
      if (reached) expect([reference_image_url, status]).toEqual([reference_image_url, 200]);
      else expect([reference_image_url, status, body.error]).toEqual([reference_image_url, 400, 'validation_error']);
    }
    expect(heard).toBe(reached ? HOSTS.length : 0);
  });

  it(`is ${reached ? '' : 'not '}asked for the picture that a verifier is to judge`, async () => {
    heard = 0;
    const deployed = await client.rest('POST', '/v1/verifiers', ada.key, {
      name: 'sharp',
      criterion: 'It is sharp.',
      input_contract: 'image',
    });
    expect(deployed.status).toBe(201);
    for (const media_url of addresses()) {
      const { status, body } = await client.rest('POST', '/v1/verifiers/sharp/runs', ada.key, { media_url });
      if (reached) expect([media_url, status, body.status]).toEqual([media_url, 200, 'complete']);
      else {
        expect([media_url, status, body.error]).toEqual([media_url, 400, 'validation_error']);
        expect(body.details[0].field).toBe('media_url');
      }
    }
    expect(heard).toBe(reached ? HOSTS.length : 0);
    expect(judge.requests).toHaveLength(reached ? HOSTS.length : 0);
  });

  // By https too, which is what outputs have to come by: then nothing but the address forbids it.
  it.each(['http', 'https'])(
    `is ${reached ? '' : 'not '}asked for the picture that a provider says is there by %s`,
    async (scheme) => {
      heard = 0;
      files = `${scheme}://127.0.0.1:${port}`;
      const { status, body } = await client.rest('POST', '/v1/image-generators/-/runs', ada.key, {
        prompt: 'x',
        model: 'openai-compatible/plain',
      });
      expect(provider.last().path).toBe('/v1/images/generations');
      // What cannot be hosted is answered with the provider's own address. The server on loopback does not speak TLS.
      const hosted = reached && scheme === 'http' ? expect.objectContaining({ visibility: 'private' }) : null;
      expect([status, body.status, body.hosted_images]).toEqual([200, 'complete', [hosted]]);
      if (hosted === null) expect(body.image_urls).toEqual([`${files}/0.png`]);
      expect(heard > 0).toBe(reached);
    },
  );
});
