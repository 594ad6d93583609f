/** Each sentence of the documentation of hosted images, over REST and over the graph, in one process and in many. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectKey } from '../../subgraphs/images/image/image.model.js';
import { type Picture, pictures } from '../images/support/pictures.js';
import { type Bucket, openBucket } from '../support/bucket.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { graphDoor, restDoor } from '../support/generator-doors.js';
import { type Platform, SHAPES } from '../support/platform.js';
import { sendForm, sendGraph } from '../support/uploads.js';

const IMAGE = `id token url visibility expires_at: expiresAt size_bytes: sizeBytes content_type: contentType source
  width height created_at: createdAt`;
const UPLOAD = `mutation ($input: UploadImageInput!) { uploadImage(input: $input) { image { ${IMAGE} } } }`;
const UPDATE = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { ${IMAGE} } } }`;
const DELETE = 'mutation ($input: DeleteImageInput!) { deleteImage(input: $input) { id deleted } }';
const ONE = `query ($id: ID!) { image(id: $id) { ${IMAGE} } }`;
const LIST = 'query ($source: ImageSource) { images(source: $source) { nodes { id source visibility } } }';
/** Enough for several parts of the bucket's, and less than the default so that the tests take less. */
const MAX_BYTES = 11 * 1024 * 1024;
const MISSING = '01900000-0000-7000-8000-000000000000';

/** Enums of the graph are in upper case. */
const lower = <T extends { visibility: string; source: string }>(image: T): T => ({
  ...image,
  visibility: image.visibility.toLowerCase(),
  source: image.source.toLowerCase(),
});

describe.each(SHAPES)('hosted images in %s', (_name, start) => {
  let platform: Platform;
  let client: Client;
  let bucket: Bucket;
  let ada: Account;
  let eve: Account;
  let all: Picture[];
  let png: Buffer;

  beforeAll(async () => {
    platform = await start({ RATE_LIMIT_UPLOADS_PER_MINUTE: '0', MAX_UPLOAD_BYTES: String(MAX_BYTES) });
    client = clientOf(platform);
    bucket = await openBucket(platform.dataDir);
    all = await pictures();
    png = all[0]?.bytes ?? Buffer.alloc(0);
    ada = await client.account('ada@example.com');
    eve = await client.account('eve@example.com');
  });
  afterAll(async () => {
    await bucket?.close();
    await platform?.stop();
  });

  const upload = async (fields: Record<string, string> = {}, bytes = png, key = ada.key) => {
    const { status, body } = await sendForm(platform.url, key, [['file', bytes], ...Object.entries(fields)]);
    expect([status, body.error]).toEqual([201, undefined]);
    return body;
  };
  const graphUpload = async (input: object = {}, bytes = png, key: string | undefined = ada.key) =>
    sendGraph(platform.url, key, UPLOAD, { input: { file: null, ...input } }, { 'variables.input.file': bytes });
  /** Urls say where callers find us; the tests ask the process that they started. */
  const serve = async (url: string, key?: string) => {
    const response = await fetch(platform.url + new URL(url).pathname, {
      ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }),
    });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const codeOf = (answer: { body: { errors?: { extensions: { code: string } }[] } }) =>
    answer.body.errors?.[0]?.extensions.code;

  describe('uploading', () => {
    it('the response carries id, token, url, visibility, expires_at, size_bytes, content_type, and more', async () => {
      const before = Date.now();
      const body = await upload({ visibility: 'public', ttl_seconds: '604800' });
      expect(body).toEqual({
        id: expect.any(String),
        token: expect.stringMatching(/^[0-9A-Za-z]{22,}$/),
        url: expect.stringMatching(new RegExp(`/v1/i/${body.token}\\.png$`)),
        visibility: 'public',
        expires_at: expect.any(String),
        size_bytes: png.length,
        content_type: 'image/png',
        source: 'upload',
        width: 61,
        height: 47,
        created_at: expect.any(String),
      });
      const expiry = Date.parse(body.expires_at) - 604_800_000;
      expect(expiry).toBeGreaterThanOrEqual(before);
      expect(expiry).toBeLessThanOrEqual(Date.now());
      expect((await client.rest('GET', `/v1/images/${body.id}`, ada.key)).body).toEqual(body);
    });

    it('is the same through the graph', async () => {
      const { body } = await graphUpload({ visibility: 'PUBLIC', ttlSeconds: 604_800 });
      const { image } = body.data.uploadImage;
      expect((await client.rest('GET', `/v1/images/${image.id}`, ada.key)).body).toEqual(lower(image));
      const { bytes, response } = await serve(image.url);
      expect([response.status, bytes.equals(png)]).toEqual([200, true]);
    });

    it('takes the fields of a form in any order, and base64 in JSON', async () => {
      const { body } = await sendForm(platform.url, ada.key, [
        ['visibility', 'public'],
        ['ttl_seconds', '60'],
        ['file', png],
      ]);
      expect([body.visibility, body.expires_at === null]).toEqual(['public', false]);
      const json = { data: png.toString('base64'), visibility: 'public', ttl_seconds: 60 };
      const { status, body: second } = await client.rest('POST', '/v1/images', ada.key, json);
      expect([status, second.size_bytes, second.visibility]).toEqual([201, png.length, 'public']);
      expect((await serve(second.url)).bytes.equals(png)).toBe(true);
      const wrong = await client.rest('POST', '/v1/images', ada.key, { data: '***' });
      expect([wrong.status, wrong.body.error, wrong.body.details[0].field]).toEqual([400, 'validation_error', 'data']);
    });

    it('accepts PNG, JPEG, WebP and GIF, whatever the name says, and serves the bytes as they came', async () => {
      for (const { name, contentType, width, height, bytes } of all) {
        const body = await upload({ visibility: 'public' }, bytes);
        expect([name, body.content_type, body.width, body.height]).toEqual([name, contentType, width, height]);
        const served = await serve(body.url);
        expect([name, served.response.headers.get('content-type')]).toEqual([name, contentType]);
        expect(served.bytes.equals(bytes)).toBe(true);
      }
    });

    it('rejects anything else with 415 unsupported_image_type', async () => {
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
      const avif = await sharp(png).avif().toBuffer();
      for (const bytes of [svg, avif, Buffer.from('%PDF-1.7 and more'), Buffer.alloc(100_000)]) {
        const { status, body } = await sendForm(platform.url, ada.key, [['file', bytes]]);
        expect([status, body.error]).toEqual([415, 'unsupported_image_type']);
        expect(codeOf(await graphUpload({}, bytes))).toBe('unsupported_image_type');
      }
    });

    it('rejects what is cut short, followed by foreign data, empty or not there', async () => {
      for (const bytes of [png.subarray(0, -5), Buffer.concat([png, Buffer.from('PK\u0003\u0004')]), Buffer.alloc(0)]) {
        const { status, body } = await sendForm(platform.url, ada.key, [['file', bytes]]);
        expect([status, body.error]).toEqual([400, 'validation_error']);
        expect(codeOf(await graphUpload({}, bytes))).toBe('validation_error');
      }
      const { status, body } = await sendForm(platform.url, ada.key, [['visibility', 'public']]);
      expect([status, body.details[0].field]).toEqual([400, 'file']);
    });

    it('takes the next picture at once after one that it refused unread', async () => {
      // More than a connection holds back of a body that nobody reads any further.
      const long = Buffer.concat([png, Buffer.alloc(300_000, 7)]);
      for (let i = 0; i < 3; i++) {
        expect((await sendForm(platform.url, ada.key, [['file', long]])).status).toBe(400);
        expect((await sendForm(platform.url, ada.key, [['file', png]])).status).toBe(201);
      }
    });

    it('rejects what is too large with 413 file_too_large', async () => {
      const large = Buffer.alloc(MAX_BYTES + 1);
      png.copy(large);
      // The first bytes are a picture's, so that only the length can be the reason; foreign data comes much later.
      large.writeUInt32BE(large.length, png.indexOf('IDAT') - 4);
      const { status, body } = await sendForm(platform.url, ada.key, [['file', large]]);
      expect([status, body.error]).toEqual([413, 'file_too_large']);
      expect(codeOf(await graphUpload({}, large))).toBe('file_too_large');
      const json = await client.rest('POST', '/v1/images', ada.key, {
        data: Buffer.alloc(8_400_000).toString('base64'),
      });
      expect([json.status, json.body.error]).toEqual([413, 'file_too_large']);
      expect(json.body.hint).toContain('multipart');
      const longer = await client.rest('POST', '/v1/images', ada.key, {
        data: Buffer.alloc(9_500_000).toString('base64'),
      });
      expect([longer.status, longer.body.error]).toEqual([413, 'file_too_large']);
    });

    it('rejects settings that are wrong, though the bytes are right', async () => {
      for (const fields of [
        { visibility: 'secret' },
        { ttl_seconds: '0' },
        { ttl_seconds: '-1' },
        { ttl_seconds: 'soon' },
      ]) {
        const { status, body } = await sendForm(platform.url, ada.key, [['file', png], ...Object.entries(fields)]);
        expect([status, body.error]).toEqual([400, 'validation_error']);
      }
      expect(codeOf(await graphUpload({ ttlSeconds: 0 }))).toBe('validation_error');
    });

    it('needs an account', async () => {
      expect((await sendForm(platform.url, undefined, [['file', png]])).status).toBe(401);
      const body = { query: '{ images { nodes { id } } }' };
      expect(codeOf(await client.rest('POST', '/graphql', undefined, body))).toBe('auth_required');
      const unnamed = await sendGraph(
        platform.url,
        undefined,
        UPLOAD,
        { input: { file: null } },
        { 'variables.input.file': png },
      );
      expect(codeOf(unnamed)).toBe('auth_required');
    });

    it('takes several files in one request, and fails each for itself', async () => {
      const query = `mutation ($a: Upload!, $b: Upload!, $c: Upload!) {
        a: uploadImage(input: { file: $a }) { image { sizeBytes owner { email } } }
        b: uploadImage(input: { file: $b }) { image { id } }
        c: uploadImage(input: { file: $c, visibility: PUBLIC }) { image { contentType visibility } }
      }`;
      const gif = all.find(({ name }) => name === 'gif')?.bytes ?? png;
      const files = { 'variables.a': png, 'variables.b': Buffer.from('no picture at all'), 'variables.c': gif };
      const { body } = await sendGraph(platform.url, ada.key, query, { a: null, b: null, c: null }, files);
      expect(body.data.a.image).toEqual({ sizeBytes: png.length, owner: { email: 'ada@example.com' } });
      expect(body.data.b).toBeNull();
      expect(body.data.c.image).toEqual({ contentType: 'image/gif', visibility: 'PUBLIC' });
      expect(body.errors).toHaveLength(1);
    });

    it('through the graph must not be possible for a page of another site', async () => {
      const variables = { input: { file: null } };
      const files = { 'variables.input.file': png };
      const { status, body } = await sendGraph(platform.url, ada.key, UPLOAD, variables, files, {});
      expect([status, body.errors[0].extensions.code]).toEqual([400, 'validation_error']);
    });

    it('with an Idempotency-Key is done once', async () => {
      const named = { 'idempotency-key': 'upload-1' };
      const parts = [['file', png]] as const;
      const first = await sendForm(platform.url, ada.key, parts, named);
      const again = await sendForm(platform.url, ada.key, parts, named);
      expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
      const other = await sendForm(platform.url, ada.key, [...parts, ['visibility', 'public']], named);
      expect([other.status, other.body.error]).toEqual([409, 'conflict']);
      const anybody = await sendForm(platform.url, eve.key, parts, named);
      expect([anybody.status, anybody.body.id === first.body.id]).toEqual([201, false]);
    });

    it('with an idempotencyKey in the graph is done once, and the name is the same as over REST', async () => {
      const zoe = await client.account('zoe-named@example.com');
      const named = { idempotencyKey: 'graph-1', visibility: 'PUBLIC', ttlSeconds: 600 };
      const first = await graphUpload(named, png, zoe.key);
      const again = await graphUpload(named, png, zoe.key);
      const { image } = first.body.data.uploadImage;
      expect(again.body.data.uploadImage.image).toEqual(image);
      const fields = [
        ['file', png],
        ['visibility', 'public'],
        ['ttl_seconds', '600'],
      ] as const;
      const rest = await sendForm(platform.url, zoe.key, fields, { 'idempotency-key': 'graph-1' });
      expect([rest.status, rest.body]).toEqual([201, lower(image)]);
      const { body } = await client.rest('GET', '/v1/images', zoe.key);
      expect(body.items).toEqual([lower(image)]);

      const gif = all.find(({ name }) => name === 'gif')?.bytes ?? png;
      for (const [input, bytes] of [
        [named, gif],
        [{ ...named, visibility: 'PRIVATE' }, png],
      ] as const) {
        const other = await graphUpload(input, bytes, zoe.key);
        expect(other.body.errors[0].extensions).toMatchObject({ code: 'conflict', http: { status: 409 } });
      }
      const anybody = await graphUpload(named, png, eve.key);
      expect(anybody.body.data.uploadImage.image.id).not.toBe(image.id);
      for (const idempotencyKey of ['', 'two\nlines', 'x'.repeat(256)]) {
        expect(codeOf(await graphUpload({ idempotencyKey }, png, zoe.key))).toBe('validation_error');
      }
    });
  });

  describe('the serving url', () => {
    it('of a public image is served to anyone, with cache headers', async () => {
      const { url } = await upload({ visibility: 'public' });
      const { response, bytes } = await serve(url);
      expect([response.status, bytes.equals(png)]).toEqual([200, true]);
      expect(response.headers.get('cache-control')).toBe('public, max-age=300');
      expect(response.headers.get('etag')).toMatch(/^"[^"]+"$/);
    });

    it('ignores the extension', async () => {
      const { url } = await upload({ visibility: 'public' });
      const { response } = await serve(url.replace(/png$/, 'gif'));
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png']);
    });

    it('of a private image asks for the owner’s credentials, and tells others nothing', async () => {
      const { url, visibility } = await upload();
      expect(visibility).toBe('private');
      expect((await serve(url, ada.key)).response.status).toBe(200);
      expect((await serve(url)).response.status).toBe(401);
      const stranger = await serve(url, eve.key);
      const missing = await serve(url.replace(/[0-9A-Za-z]{10}\.png$/, '0123456789.png'), eve.key);
      const told = ({ response, bytes }: typeof stranger) => [response.status, JSON.parse(bytes.toString()).error];
      expect(told(stranger)).toEqual([404, 'image_not_found']);
      expect(told(stranger)).toEqual(told(missing));
    });

    it('of an expired image answers 404 on the next request, and it is gone from everywhere else', async () => {
      const { id, url } = await upload({ visibility: 'public', ttl_seconds: '1' });
      expect((await serve(url)).response.status).toBe(200);
      await expect.poll(async () => (await serve(url)).response.status).toBe(404);
      for (const [method, body] of [['GET'], ['PATCH', { permanent: true }], ['DELETE']] as const) {
        const answer = await client.rest(method, `/v1/images/${id}`, ada.key, body);
        expect([method, answer.status, answer.body.error]).toEqual([method, 404, 'image_not_found']);
      }
      const { body } = await client.rest('GET', '/v1/images?limit=5', ada.key);
      expect(body.items.map((image: { id: string }) => image.id)).not.toContain(id);
    });
  });

  describe('visibility', () => {
    it('can be flipped at any time, and the url does not change', async () => {
      const { id, url } = await upload();
      const shared = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { visibility: 'public' });
      expect([shared.status, shared.body.visibility, shared.body.url]).toEqual([200, 'public', url]);
      await expect.poll(async () => (await serve(url)).response.status).toBe(200);
      const { body } = await client.graph(UPDATE, { input: { id, visibility: 'PRIVATE' } }, ada.key);
      expect(lower(body.data.updateImage.image)).toEqual({ ...shared.body, visibility: 'private' });
      await expect.poll(async () => (await serve(url)).response.status).toBe(401);
    });
  });

  describe('time to live', () => {
    it('counts from the moment it is applied', async () => {
      const { id, created_at } = await upload({ ttl_seconds: '60' });
      const applied = Date.now();
      const { body } = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds: 2_592_000 });
      expect(Date.parse(body.expires_at)).toBeGreaterThanOrEqual(applied + 2_592_000_000);
      expect(body.created_at).toBe(created_at);
    });

    it('is cleared by null, and by permanent', async () => {
      const { id } = await upload({ ttl_seconds: '60' });
      const cleared = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds: null });
      expect([cleared.status, cleared.body.expires_at]).toEqual([200, null]);
      const { body } = await client.graph(UPDATE, { input: { id, ttlSeconds: 60 } }, ada.key);
      expect(body.data.updateImage.image.expires_at).not.toBeNull();
      const permanent = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { permanent: true });
      expect([permanent.status, permanent.body.expires_at]).toEqual([200, null]);
      await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds: 60 });
      const { body: graph } = await client.graph(UPDATE, { input: { id, permanent: true } }, ada.key);
      expect(graph.data.updateImage.image.expires_at).toBeNull();
      await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds: 60 });
      const { body: nulled } = await client.graph(UPDATE, { input: { id, ttlSeconds: null } }, ada.key);
      expect(nulled.data.updateImage.image.expires_at).toBeNull();
    });

    it('and permanent are mutually exclusive on any single call', async () => {
      const { id } = await upload();
      const both = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds: 60, permanent: true });
      expect([both.status, Object.keys(both.body)]).toEqual([422, ['detail']]);
      const { body } = await client.graph(UPDATE, { input: { id, ttlSeconds: 60, permanent: true } }, ada.key);
      expect(body.errors[0].extensions).toMatchObject({ code: 'validation_error', http: { status: 400 } });
    });

    it.each([0, -1, 1.5, 2 ** 31, 'soon'])('of %j is refused', async (ttl_seconds) => {
      const { id } = await upload();
      const { status, body } = await client.rest('PATCH', `/v1/images/${id}`, ada.key, { ttl_seconds });
      expect([status, body.error, body.details[0].field]).toEqual([400, 'validation_error', 'ttl_seconds']);
    });
  });

  describe('managing', () => {
    it('lists what one owns, newest first, by source and visibility, in pages', async () => {
      const zoe = await client.account('zoe@example.com');
      const ids: string[] = [];
      for (const visibility of ['public', 'private', 'public']) {
        ids.unshift((await upload({ visibility }, png, zoe.key)).id);
      }
      const idsOf = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map(({ id }) => id);
      const list = (query: string) => client.rest('GET', `/v1/images?${query}`, zoe.key);
      expect(idsOf(await list(''))).toEqual(ids);
      expect(idsOf(await list('visibility=private'))).toEqual([ids[1]]);
      expect(idsOf(await list('source=upload&visibility=public'))).toEqual([ids[0], ids[2]]);
      expect(idsOf(await list('source=generated'))).toEqual([]);
      const first = await list('limit=2');
      expect(idsOf(first)).toEqual(ids.slice(0, 2));
      const second = await list(`limit=2&cursor=${first.body.next_cursor}`);
      expect([idsOf(second), second.body.next_cursor]).toEqual([ids.slice(2), null]);
      expect((await list('source=stolen')).body.error).toBe('validation_error');
      const query = `query ($v: ImageVisibility) {
        images(visibility: $v, source: UPLOAD, first: 1) { nodes { id owner { email } } pageInfo { hasNextPage } }
        me { images(visibility: $v) { nodes { id } } }
      }`;
      const { body } = await client.graph(query, { v: 'PUBLIC' }, zoe.key);
      expect(body.data.images).toEqual({
        nodes: [{ id: ids[0], owner: { email: 'zoe@example.com' } }],
        pageInfo: { hasNextPage: true },
      });
      expect(body.data.me.images.nodes).toEqual([{ id: ids[0] }, { id: ids[2] }]);
    });

    it.each([
      ['REST', () => restDoor(client)],
      ['the graph', () => graphDoor(client)],
    ] as const)('takes what a run over %s hosted by the ids that it gave', async (name, open) => {
      const door = open();
      const painter = await client.account(`painter-${door.name.replace(' ', '-')}@example.com`);
      const uploaded = await upload({}, png, painter.key);
      const run = await door.generate(
        'system:image-draft',
        { prompt: 'a lamp', num_images: 2, params: { image_size: '64x64' } },
        painter.key,
      );
      expect([name, run.status, run.body.status]).toEqual([name, 200, 'complete']);
      const hosted: { id: string; url: string }[] = run.body.hosted_images;
      const ids = hosted.map(({ id }) => id).sort();
      expect(ids).toHaveLength(2);

      for (const [source, wanted] of [
        ['generated', ids],
        ['upload', [uploaded.id]],
      ] as const) {
        const { items } = (await client.rest('GET', `/v1/images?source=${source}`, painter.key)).body;
        expect(items.map((image: { id: string }) => image.id).sort()).toEqual(wanted);
        const { body } = await client.graph(LIST, { source: source.toUpperCase() }, painter.key);
        const listed = body.data.images.nodes.map(lower);
        expect(listed.map((image: { id: string }) => image.id).sort()).toEqual(wanted);
        for (const image of [...items, ...listed]) expect(image.source).toBe(source);
      }

      const [first, second] = hosted as [{ id: string; url: string }, { id: string; url: string }];
      const shown = await client.rest('GET', `/v1/images/${first.id}`, painter.key);
      const expected = { id: first.id, url: first.url, source: 'generated', visibility: 'private', expires_at: null };
      expect([shown.status, shown.body]).toEqual([200, expect.objectContaining(expected)]);
      const inGraph = await client.graph(ONE, { id: first.id }, painter.key);
      expect(lower(inGraph.body.data.image)).toEqual(shown.body);
      const shared = await client.rest('PATCH', `/v1/images/${first.id}`, painter.key, { visibility: 'public' });
      expect([shared.status, shared.body]).toEqual([200, { ...shown.body, visibility: 'public' }]);
      const ending = await client.graph(UPDATE, { input: { id: second.id, ttlSeconds: 600 } }, painter.key);
      expect(ending.body.data.updateImage.image.expires_at).not.toBeNull();
      const deleted = await client.rest('DELETE', `/v1/images/${first.id}`, painter.key);
      expect(deleted.status).toBe(204);
      const { body: gone } = await client.graph(DELETE, { input: { id: second.id } }, painter.key);
      expect(gone.data.deleteImage).toEqual({ id: second.id, deleted: true });
      for (const { id } of hosted) {
        expect((await client.rest('GET', `/v1/images/${id}`, painter.key)).status).toBe(404);
        await expect.poll(() => bucket.store.exists(objectKey(id))).toBe(false);
      }
    });

    it('changes only the fields that are passed', async () => {
      const before = await upload({ visibility: 'public', ttl_seconds: '600' });
      const same = await client.rest('PATCH', `/v1/images/${before.id}`, ada.key, {});
      expect([same.status, same.body]).toEqual([200, before]);
      const { body } = await client.rest('PATCH', `/v1/images/${before.id}`, ada.key, { visibility: 'private' });
      expect(body).toEqual({ ...before, visibility: 'private' });
    });

    it('deletes for good: the url stops resolving at once, and the object goes', async () => {
      const { id, url } = await upload({ visibility: 'public' });
      expect(await bucket.store.exists(objectKey(id))).toBe(true);
      const deleted = await client.rest('DELETE', `/v1/images/${id}`, ada.key);
      expect([deleted.status, deleted.body]).toEqual([204, null]);
      await expect.poll(async () => (await serve(url)).response.status).toBe(404);
      expect((await client.rest('GET', `/v1/images/${id}`, ada.key)).status).toBe(404);
      expect((await client.rest('DELETE', `/v1/images/${id}`, ada.key)).status).toBe(404);
      const other = await upload();
      expect(await bucket.store.exists(objectKey(other.id))).toBe(true);
      const { body } = await client.graph(DELETE, { input: { id: other.id } }, ada.key);
      expect(body.data.deleteImage).toEqual({ id: other.id, deleted: true });
      for (const gone of [id, other.id]) await expect.poll(() => bucket.store.exists(objectKey(gone))).toBe(false);
    });

    it('answers 404 for what one does not own as for what does not exist', async () => {
      const { id } = await upload({ visibility: 'public' });
      for (const [method, body] of [['GET'], ['PATCH', { visibility: 'private' }], ['DELETE']] as const) {
        const [theirs, missing, malformed] = await Promise.all(
          [id, MISSING, 'not-an-id'].map((one) => client.rest(method, `/v1/images/${one}`, eve.key, body)),
        );
        expect([method, theirs?.status, theirs?.body.error]).toEqual([method, 404, 'image_not_found']);
        const told = (answer: typeof theirs) => ({ ...answer?.body, request_id: '' });
        expect(told(theirs)).toEqual(told(missing));
        expect(told(theirs)).toEqual(told(malformed));
      }
      for (const [operation, variablesOf] of [
        [ONE, (one: string) => ({ id: one })],
        [UPDATE, (one: string) => ({ input: { id: one, visibility: 'PRIVATE' } })],
        [DELETE, (one: string) => ({ input: { id: one } })],
      ] as const) {
        const [theirs, missing, malformed] = await Promise.all(
          [id, MISSING, 'not-an-id'].map((one) => client.graph(operation, variablesOf(one), eve.key)),
        );
        const told = (answer: typeof theirs) => {
          const { message, extensions } = answer?.body.errors[0] ?? {};
          return { data: answer?.body.data, message, extensions: { ...extensions, request_id: '' } };
        };
        expect(told(theirs).extensions).toMatchObject({ code: 'image_not_found', http: { status: 404 } });
        expect(told(theirs)).toEqual(told(missing));
        expect(told(theirs)).toEqual(told(malformed));
      }
      const own = await client.graph(ONE, { id }, ada.key);
      expect(lower(own.body.data.image)).toMatchObject({ id, visibility: 'public', source: 'upload' });
      expect((await client.rest('GET', '/v1/images', eve.key)).body.items).not.toContainEqual(
        expect.objectContaining({ id }),
      );
    });

    it('needs an account', async () => {
      for (const [method, path] of [
        ['GET', '/v1/images'],
        ['GET', `/v1/images/${MISSING}`],
        ['PATCH', `/v1/images/${MISSING}`],
        ['DELETE', `/v1/images/${MISSING}`],
      ] as const) {
        expect((await client.rest(method, path)).status).toBe(401);
      }
    });
  });

  it('nothing was logged as a failure of ours', () => {
    const failures = platform.programs
      .flatMap((program) => program.output().split('\n'))
      .filter((line) => /"level":(50|60)/.test(line));
    expect(failures).toEqual([]);
  });
});
