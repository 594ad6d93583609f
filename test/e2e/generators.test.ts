/** The sentences of the image generators' documentation, over REST and over the graph, in one process and in many. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openCompatibleWithUrls, openOpenAi } from '../providers/openai.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Door, graphDoor, restDoor } from '../support/generator-doors.js';
import { type Platform, SHAPES } from '../support/platform.js';

const PROVIDER_TIMEOUT_MS = 3_000;
/** What a run may take beside the provider. */
const GRACE_MS = 4_000;
const SMALL = { image_size: '64x64' };
const TIERS = ['image-draft', 'image-standard', 'image-premium', 'image-ultra'];
const RUN_FIELDS = [
  'run_id',
  'model_tier_or_model',
  'image_url',
  'image_urls',
  'width',
  'height',
  'num_images',
  'cost_usd',
  'duration_ms',
  'status',
  'created_at',
  'error_code',
  'error_message',
  'hosted_images',
];
const DEPLOY_FIELDS = [
  'generator_id',
  'name',
  'current_version',
  'version',
  'version_token',
  'status',
  'provider',
  'model',
  'generation_contract',
  'config_hash',
];

describe.each(SHAPES)('image generators in %s', (_shape, start) => {
  let openai: StandIn;
  let server: StandIn;
  let platform: Platform;
  let client: Client;
  let mongo: MongoClient;
  let ada: Account;
  let eve: Account;
  let nth = 0;
  const unique = () => `generator-${++nth}`;

  beforeAll(async () => {
    openai = await openOpenAi();
    server = await openCompatibleWithUrls();
    platform = await start({
      LOCAL_PROVIDER: 'on',
      OPENAI_API_KEY: 'sk-test-0123456789',
      OPENAI_BASE_URL: `${openai.url}/v1`,
      OPENAI_IMAGE_BASE_URL: `${server.url}/v1`,
      // Four of them leave five cents of a month's five dollars.
      OPENAI_IMAGE_MODELS: 'costly=1.2375,plain=0.01',
      PROVIDER_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS),
      ALLOW_PRIVATE_FETCH: 'on',
      LOG_LEVEL: 'trace',
    });
    client = clientOf(platform);
    mongo = await MongoClient.connect(platform.mongoUrl);
    [ada, eve] = (await Promise.all(['ada', 'eve'].map((name) => client.account(`${name}@example.com`)))) as [
      Account,
      Account,
    ];
  });
  afterAll(async () => {
    await mongo?.close();
    await platform?.stop();
    await openai?.close();
    await server?.close();
  });
  beforeEach(() => openai.reset());

  const doors: [string, () => Door][] = [
    ['REST', () => restDoor(client)],
    ['the graph', () => graphDoor(client)],
  ];

  describe.each(doors)('over %s', (_name, open) => {
    let door: Door;
    /** With money of its own, so that no test spends another’s. */
    let own: Account;
    beforeAll(async () => {
      door = open();
      own = await client.account(`own-${door.name.replace(' ', '-')}@example.com`);
    });

    describe('deploying', () => {
      it('answers with the generator, its first version and a version token', async () => {
        const wanted = {
          name: unique(),
          description: 'Square hero shots',
          default_params: { image_size: 'square_hd' },
        };
        const { status, body } = await door.deploy(wanted, ada.key);
        expect(status).toBe(201);
        expect(Object.keys(body)).toEqual(expect.arrayContaining(DEPLOY_FIELDS));
        expect(body).toMatchObject({
          name: wanted.name,
          current_version: 1,
          version: 1,
          status: 'active',
          provider: 'local',
          model: 'local/atelier',
          generation_contract: 'text_to_image',
        });
        expect(body.config_hash).toMatch(/^[0-9a-f]{64}$/);
      });

      it('creates the generator on the first call, and appends a version on every later call under the same name', async () => {
        const name = unique();
        const one = await door.deploy({ name }, ada.key);
        const two = await door.deploy({ name, expected_version_token: one.body.version_token }, ada.key);
        const three = await door.deploy({ name, expected_version_token: two.body.version_token }, ada.key);
        expect([one, two, three].map(({ body }) => body.version)).toEqual([1, 2, 3]);
        expect(new Set([one, two, three].map(({ body }) => body.generator_id)).size).toBe(1);
      });

      it('pins a model, a contract and default parameters, which stay as they are for that version', async () => {
        const name = unique();
        const first = { name, model: 'local/sketch', default_params: { image_size: 'square' }, description: 'one' };
        const one = await door.deploy(first, ada.key);
        const second = { name, generation_contract: 'image_to_image', expected_version_token: one.body.version_token };
        const two = await door.deploy(second, ada.key);
        expect((await door.show(one.body.generator_id, 1, ada.key)).body).toMatchObject({
          version: 1,
          model: 'local/sketch',
          generation_contract: 'text_to_image',
          default_params: { image_size: 'square' },
          description: 'one',
          config_hash: one.body.config_hash,
        });
        expect(two.body.config_hash).not.toBe(one.body.config_hash);
      });

      it('takes names of lowercase letters, digits and hyphens, up to 128 characters, unique per owner', async () => {
        const longest = `${unique()}-`.padEnd(128, 'x');
        expect((await door.deploy({ name: longest }, ada.key)).status).toBe(201);
        expect((await door.deploy({ name: longest }, eve.key)).status).toBe(201);
        for (const name of [`${longest}x`, '', 'Hero', 'a_b', 'ä', 'a b']) {
          const { status, body } = await door.deploy({ name }, ada.key);
          expect([name, status, body.error]).toEqual([name, 400, 'validation_error']);
        }
      });

      it('rejects a model that cannot be priced before any record is written', async () => {
        const name = unique();
        const refused = await door.deploy({ name, model: 'provider-org/model-name' }, ada.key);
        expect([refused.status, refused.body.details[0].field]).toEqual([400, 'model']);
        const written = await mongo.db('darkroom').collection('registry_generators').findOne({ name });
        expect(written).toBeNull();
        expect((await door.deploy({ name }, ada.key)).body.version).toBe(1);
      });

      it('must omit the token at first, and later send the latest one, from the deploy, the list or show', async () => {
        const name = unique();
        expect((await door.deploy({ name, expected_version_token: 'x' }, ada.key)).status).toBe(409);
        const one = await door.deploy({ name }, ada.key);
        const shown = await door.show(one.body.generator_id, undefined, ada.key);
        const listed = (await door.list({ limit: 1 }, ada.key)).body.items[0];
        expect([shown.body.version_token, listed.version_token]).toEqual([
          one.body.version_token,
          one.body.version_token,
        ]);
        expect((await door.deploy({ name, expected_version_token: listed.version_token }, ada.key)).body.version).toBe(
          2,
        );
      });

      it('answers a token mismatch with a conflict that holds the current token', async () => {
        const name = unique();
        const one = await door.deploy({ name }, ada.key);
        const two = await door.deploy({ name, expected_version_token: one.body.version_token }, ada.key);
        expect(two.body.version_token).not.toBe(one.body.version_token);
        for (const expected_version_token of [undefined, null, one.body.version_token, 'made up']) {
          const { status, body } = await door.deploy({ name, expected_version_token }, ada.key);
          expect([status, body.error]).toEqual([409, 'conflict']);
          expect(body.current_version_token).toBe(two.body.version_token);
        }
      });

      it('with one token 50 times at once has one winner, and 49 conflicts that hold the current token', async () => {
        const name = unique();
        const one = await door.deploy({ name }, ada.key);
        const expected_version_token = one.body.version_token;
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => door.deploy({ name, expected_version_token }, ada.key)),
        );
        const won = answers.filter(({ status }) => status === 201);
        const lost = answers.filter(({ status }) => status === 409);
        expect([won.length, lost.length]).toEqual([1, 49]);
        expect(won[0]?.body.version).toBe(2);
        for (const { body } of lost) expect(body.current_version_token).toBe(won[0]?.body.version_token);
      });

      it('rejects the name of a platform-managed generator with a conflict', async () => {
        for (const name of TIERS) {
          const { status, body } = await door.deploy({ name }, ada.key);
          expect([name, status, body.error]).toEqual([name, 409, 'conflict']);
        }
      });

      it('needs an account', async () => {
        expect((await door.deploy({ name: unique() })).status).toBe(401);
      });
    });

    describe('listing', () => {
      it('shows the active generators that you own, page by page, and no platform-managed ones', async () => {
        const person = await client.account(`list-${nth}-${door.name.length}@example.com`);
        const names = [unique(), unique(), unique()];
        const made = [];
        for (const name of names) made.push((await door.deploy({ name }, person.key)).body);
        await door.revoke(made[1].generator_id, person.key);
        const first = await door.list({ limit: 1 }, person.key);
        const second = await door.list({ limit: 1, cursor: first.body.next_cursor }, person.key);
        const items = [...first.body.items, ...second.body.items];
        expect(items.map(({ name }) => name)).toEqual([names[2], names[0]]);
        expect(second.body.next_cursor).toBeNull();
        expect(items[0]).toMatchObject({ generator_id: made[2].generator_id, current_version: 1, status: 'active' });
        expect((await door.list({}, eve.key)).body.items.map(({ name }: { name: string }) => name)).not.toContain(
          names[0],
        );
      });
    });

    describe('showing', () => {
      it('returns one version in full, the current one or the one that is pinned', async () => {
        const name = unique();
        const one = await door.deploy({ name, default_params: { image_size: '64x64' } }, ada.key);
        const { generator_id: id, version_token } = one.body;
        await door.deploy(
          { name, default_params: { image_size: '128x128' }, expected_version_token: version_token },
          ada.key,
        );
        const sizes = [];
        for (const [reference, version] of [[id], [id, 1], [id, 2], [`${id}@1`]] as [string, number?][]) {
          const { status, body } = await door.show(reference, version, ada.key);
          expect([status, body.current_version, body.generator_id]).toEqual([200, 2, id]);
          sizes.push([body.version, body.default_params.image_size]);
        }
        expect(sizes).toEqual([
          [2, '128x128'],
          [1, '64x64'],
          [2, '128x128'],
          [1, '64x64'],
        ]);
        expect((await door.show(id, 3, ada.key)).status).toBe(404);
      });

      it('is for the owner: anybody else’s answers as one that does not exist', async () => {
        const { body } = await door.deploy({ name: unique() }, ada.key);
        const foreign = await door.show(body.generator_id, undefined, eve.key);
        const missing = await door.show('01900000-0000-7000-8000-000000000000', undefined, eve.key);
        expect([foreign.status, foreign.body.error]).toEqual([404, 'not_found']);
        expect(foreign.body.message).toBe(missing.body.message);
        for (const reference of ['system:image-standard', 'nonsense']) {
          expect((await door.show(reference, undefined, ada.key)).status).toBe(404);
        }
      });
    });

    describe('revoking', () => {
      it('takes a generator out of list, show and generate for good, and keeps its runs', async () => {
        const name = unique();
        const { body: made } = await door.deploy({ name, default_params: SMALL }, own.key);
        const run = await door.generate(made.generator_id, { prompt: 'a hill' }, own.key);
        const revoked = await door.revoke(made.generator_id, own.key);
        expect(revoked).toMatchObject({ status: 200, body: { generator_id: made.generator_id, status: 'revoked' } });
        expect((await door.show(made.generator_id, undefined, own.key)).status).toBe(404);
        expect(
          (await door.list({}, own.key)).body.items.map(({ name: listed }: { name: string }) => listed),
        ).not.toContain(name);
        expect((await door.generate(made.generator_id, { prompt: 'a hill' }, own.key)).status).toBe(404);
        const kept = await door.runs(made.generator_id, {}, own.key);
        expect(kept.body.items.map(({ run_id }: { run_id: string }) => run_id)).toEqual([run.body.run_id]);
        for (const expected_version_token of [undefined, made.version_token]) {
          expect((await door.deploy({ name, expected_version_token }, own.key)).status).toBe(409);
        }
      });

      it('and deleting are for the owner: somebody else’s generator does not exist', async () => {
        const { body } = await door.deploy({ name: unique() }, ada.key);
        for (const answer of [
          await door.revoke(body.generator_id, eve.key),
          await door.erase(body.generator_id, eve.key),
          await door.runs(body.generator_id, {}, eve.key),
          await door.generate(body.generator_id, { prompt: 'x' }, eve.key),
          await door.revoke('system:image-standard', ada.key),
        ]) {
          expect([answer.status, answer.body.error]).toEqual([404, 'not_found']);
        }
        expect((await door.show(body.generator_id, undefined, ada.key)).status).toBe(200);
      });
    });

    describe('deleting permanently', () => {
      it('erases the generator, all its versions and all run records at once', async () => {
        const name = unique();
        const one = await door.deploy({ name, default_params: SMALL }, own.key);
        const id = one.body.generator_id;
        await door.deploy({ name, default_params: SMALL, expected_version_token: one.body.version_token }, own.key);
        await door.generate(id, { prompt: 'a hill' }, own.key);
        // A run record is closed a moment after its answer; what is open is erased as soon as it is closed.
        const runs = mongo.db('darkroom').collection('registry_generation_runs');
        await expect
          .poll(() => runs.countDocuments({ generatorId: id, openUntil: { $exists: true } }), { timeout: 10_000 })
          .toBe(0);
        expect(await door.erase(id, own.key)).toMatchObject({ status: 200, body: { generator_id: id, deleted: true } });
        for (const answer of [
          await door.show(id, undefined, own.key),
          await door.runs(id, {}, own.key),
          await door.revoke(id, own.key),
          await door.erase(id, own.key),
          await door.generate(id, { prompt: 'a hill' }, own.key),
        ]) {
          expect(answer.status).toBe(404);
        }
        expect(await runs.countDocuments({ generatorId: id })).toBe(0);
        const versions = mongo.db('darkroom').collection('registry_generator_versions');
        expect(await versions.countDocuments({ thingId: id })).toBe(0);
        expect((await door.deploy({ name }, own.key)).body.version).toBe(1);
      });
    });

    describe('generating', () => {
      it('takes a prompt and returns hosted pictures, what they cost, and how it went', async () => {
        const body = { prompt: 'a calm lake', num_images: 2, params: SMALL, seed: 1 };
        const { status, body: run } = await door.generate('system:image-standard', body, own.key);
        expect(status).toBe(200);
        expect(Object.keys(run)).toEqual(expect.arrayContaining(RUN_FIELDS));
        expect(run).toMatchObject({
          model_tier_or_model: 'image-standard',
          model: 'local/atelier',
          width: 64,
          height: 64,
          num_images: 2,
          cost_usd: 0.02,
          status: 'complete',
          error_code: null,
          error_message: null,
        });
        expect(run.image_urls).toHaveLength(2);
        expect(run.image_url).toBe(run.image_urls[0]);
        expect(run.hosted_images.map(({ url }: { url: string }) => url)).toEqual(run.image_urls);
        for (const hosted of run.hosted_images)
          expect(hosted).toMatchObject({ visibility: 'private', expires_at: null });
        const { pathname } = new URL(run.image_url);
        const own_ = await fetch(platform.url + pathname, { headers: { authorization: `Bearer ${own.key}` } });
        expect([own_.status, own_.headers.get('content-type')]).toEqual([200, 'image/png']);
        expect((await fetch(platform.url + pathname)).status).toBe(401);
      });

      it('bills each of one to four images separately', async () => {
        for (const num_images of [1, 2, 3, 4]) {
          const { body } = await door.generate(
            'system:image-standard',
            { prompt: 'x', num_images, params: SMALL },
            own.key,
          );
          expect([body.image_urls.length, body.cost_usd]).toEqual([num_images, num_images / 100]);
        }
        for (const num_images of [0, 5, 1.5]) {
          const { status, body } = await door.generate('system:image-standard', { prompt: 'x', num_images }, own.key);
          expect([status, body.error]).toEqual([400, 'validation_error']);
        }
      });

      it('needs a reference image for image_to_image, and rejects one for text_to_image', async () => {
        const text = await door.deploy({ name: unique(), default_params: SMALL }, own.key);
        const image = await door.deploy(
          { name: unique(), default_params: SMALL, generation_contract: 'image_to_image' },
          own.key,
        );
        const drawn = await door.generate(text.body.generator_id, { prompt: 'x' }, own.key);
        const reference_image_url = drawn.body.image_url;
        const refused = await door.generate(text.body.generator_id, { prompt: 'x', reference_image_url }, own.key);
        const lacking = await door.generate(image.body.generator_id, { prompt: 'x' }, own.key);
        for (const { status, body } of [refused, lacking]) {
          expect([status, body.details[0].field]).toEqual([400, 'reference_image_url']);
        }
        const restyled = await door.generate(image.body.generator_id, { prompt: 'x', reference_image_url }, own.key);
        expect(restyled.body.status).toBe('complete');
        // An address of ours is read with the caller's rights, and so is as missing to others as it is to browsers.
        const foreign = await door.generate('system:image-standard', { prompt: 'x', reference_image_url }, eve.key);
        expect([foreign.status, foreign.body.error]).toEqual([400, 'validation_error']);
      });

      it('runs a deployed generator by UUID, or pinned by uuid@version, with its model and defaults', async () => {
        const name = unique();
        const one = await door.deploy({ name, default_params: { image_size: '64x64' } }, own.key);
        const id = one.body.generator_id;
        const second = { name, model: 'local/sketch', default_params: { image_size: '72x72' } };
        await door.deploy({ ...second, expected_version_token: one.body.version_token }, own.key);
        const current = await door.generate(id, { prompt: 'x' }, own.key);
        const pinned = await door.generate(`${id}@1`, { prompt: 'x' }, own.key);
        const overridden = await door.generate(id, { prompt: 'x', params: { image_size: '80x80' } }, own.key);
        expect(
          [current, pinned, overridden].map(({ body }) => [
            body.model_tier_or_model,
            body.generator_version,
            body.width,
          ]),
        ).toEqual([
          ['local/sketch', 2, 72],
          ['local/atelier', 1, 64],
          ['local/sketch', 2, 80],
        ]);
      });

      it('runs a one-off model for who has an account, inferring the contract', async () => {
        const ephemeral = { prompt: 'x', model: 'local/sketch', params: SMALL };
        const { body } = await door.generate('-', ephemeral, own.key);
        expect(body).toMatchObject({ model_tier_or_model: 'local/sketch', generator_id: null, status: 'complete' });
        const reference_image_url = body.image_url;
        const restyled = await door.generate('-', { ...ephemeral, reference_image_url }, own.key);
        expect(restyled.body.status).toBe('complete');
        expect((await door.generate('-', ephemeral)).status).toBe(401);
        expect((await door.generate('-', { ...ephemeral, model: 'nobody/nothing' }, own.key)).status).toBe(400);
      });

      it('runs every tier, which are not listed, fetched, revoked or deployed', async () => {
        for (const tier of TIERS) {
          const { body } = await door.generate(`system:${tier}`, { prompt: 'x' }, own.key);
          expect([body.status, body.model_tier_or_model]).toEqual(['complete', tier]);
          for (const answer of [
            await door.show(`system:${tier}`, undefined, own.key),
            await door.revoke(`system:${tier}`, own.key),
            await door.erase(`system:${tier}`, own.key),
            await door.runs(`system:${tier}`, {}, own.key),
          ]) {
            expect(answer.status).toBe(404);
          }
        }
        expect((await door.generate('system:image-nothing', { prompt: 'x' }, own.key)).status).toBe(404);
      });

      it('forces the safety checker on for tiers and without an account, not for one’s own generators', async () => {
        const unsafe = { enable_safety_checker: false };
        const mine = await door.deploy({ name: unique(), model: 'gpt-image-1-mini', default_params: unsafe }, own.key);
        await door.generate('system:image-draft', { prompt: 'x', params: unsafe }, own.key);
        await door.generate('system:image-draft', { prompt: 'x', params: unsafe });
        await door.generate(mine.body.generator_id, { prompt: 'x' }, own.key);
        expect(openai.requests.map(({ json }) => json['moderation'])).toEqual(['auto', 'auto', 'low']);
      });

      it('without an account is possible for tiers, not for what no live template runs, and what comes of it is public for a day', async () => {
        const { status, body } = await door.generate('system:image-standard', { prompt: 'x', params: SMALL });
        expect([status, body.status, body.cost_usd]).toEqual([200, 'complete', 0.01]);
        const [hosted] = body.hosted_images;
        expect(hosted.visibility).toBe('public');
        const hours = (new Date(hosted.expires_at).getTime() - Date.now()) / 3_600_000;
        expect(hours).toBeGreaterThan(23);
        expect(hours).toBeLessThanOrEqual(24);
        expect((await fetch(platform.url + new URL(hosted.url).pathname)).status).toBe(200);
        const { body: made } = await door.deploy({ name: unique() }, ada.key);
        expect((await door.generate(made.generator_id, { prompt: 'x' })).status).toBe(401);
        expect((await door.generate('01900000-0000-7000-8000-000000000000', { prompt: 'x' })).status).toBe(401);
        // A bad key is not the same as none.
        const bad = await door.generate('system:image-standard', { prompt: 'x' }, 'good_live_wrong');
        expect([bad.status, bad.body.error]).toEqual([401, 'auth_required']);
      });

      it('answers a failure of the provider, or of time, with a completed call that costs nothing', async () => {
        const paint = (behaviour: Parameters<StandIn['behave']>[0]) => {
          openai.behave(behaviour);
          return door.generate('-', { prompt: 'x', model: 'gpt-image-2' }, own.key);
        };
        for (const [behaviour, code] of [
          ['refuse', 'provider_error'],
          ['garbage', 'provider_error'],
          ['answer', null],
          ['redirect', 'provider_error'],
          ['announces_too_much', 'provider_error'],
          ['answer', null],
          ['endless', 'provider_error'],
          ['hang', 'timeout'],
          ['answer', null],
        ] as const) {
          const started = performance.now();
          const { status, body } = await paint(behaviour);
          expect([behaviour, status, body.status, body.error_code]).toEqual([
            behaviour,
            200,
            code === null ? 'complete' : 'error',
            code,
          ]);
          if (code !== null)
            expect([body.cost_usd, body.image_url, body.image_urls, body.hosted_images]).toEqual([0, null, [], []]);
          expect(performance.now() - started).toBeLessThan(PROVIDER_TIMEOUT_MS + GRACE_MS);
        }
      });

      it('records runs with their pictures and where they came from, without prompts, page by page', async () => {
        const { body: made } = await door.deploy({ name: unique(), default_params: SMALL }, own.key);
        const provenance = { workflow_id: 'wf_1', workflow_version: 2, workflow_ref: '@ada/weekly', run_id: 'mine-7' };
        const ids = [];
        for (let i = 0; i < 3; i++) {
          const { body } = await door.generate(made.generator_id, { prompt: `secret ${i}`, ...provenance }, own.key);
          ids.unshift(body.run_id);
        }
        const first = await door.runs(made.generator_id, { limit: 2 }, own.key);
        const second = await door.runs(made.generator_id, { limit: 2, cursor: first.body.next_cursor }, own.key);
        const items = [...first.body.items, ...second.body.items];
        expect(items.map(({ run_id }) => run_id)).toEqual(ids);
        expect(second.body.next_cursor).toBeNull();
        expect(items[0]).toMatchObject({
          generator_id: made.generator_id,
          generator_version: 1,
          status: 'complete',
          cost_usd: 0.01,
          workflow_id: 'wf_1',
          workflow_version: 2,
          workflow_ref: '@ada/weekly',
          caller_run_id: 'mine-7',
        });
        expect(items[0].image_urls[0]).toContain('/v1/i/');
        expect(JSON.stringify(items)).not.toContain('secret');
      });
    });
  });

  it('draw at 1024 by 1024 when nothing is said of a size, and soon', async () => {
    const started = performance.now();
    const { body } = await client.rest('POST', '/v1/image-generators/system:image-standard/runs', ada.key, {
      prompt: 'A minimalist product hero shot on a white background',
    });
    expect(body).toMatchObject({ status: 'complete', width: 1024, height: 1024 });
    // How soon is measured by `npm run bench -- first-run`, beside 400 ms; this is for a busy machine.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('over REST ignore the path when a model is named, and take references encoded or not', async () => {
    const made = await client.rest('POST', '/v1/image-generators', ada.key, {
      name: unique(),
      model: 'local/sketch',
      generation_contract: 'text_to_image',
      default_params: SMALL,
    });
    const id = made.body.generator_id;
    for (const reference of [
      `${id}@1`,
      encodeURIComponent(`${id}@1`),
      'system%3Aimage-standard',
      'system:image-standard',
    ]) {
      const path = `/v1/image-generators/${reference}/runs`;
      const { status } = await client.rest('POST', path, ada.key, { prompt: 'x', params: SMALL });
      expect([reference, status]).toEqual([reference, 200]);
    }
    const ignored = await client.rest('POST', `/v1/image-generators/${id}/runs`, ada.key, {
      prompt: 'x',
      model: 'local/atelier',
      params: SMALL,
    });
    expect(ignored.body).toMatchObject({ model_tier_or_model: 'local/atelier', generator_id: null });
  });

  it('over the graph default to the standard tier, and refuse a generator and a model at once', async () => {
    const query = `mutation ($input: RunImageGeneratorInput!) {
      runImageGenerator(input: $input) { run { modelTierOrModel images { url contentType owner { email } } } }
    }`;
    const { body } = await client.graph(query, { input: { prompt: 'x', params: SMALL } }, ada.key);
    expect(body.data.runImageGenerator.run).toMatchObject({
      modelTierOrModel: 'image-standard',
      images: [{ url: expect.stringContaining('/v1/i/'), contentType: 'image/png', owner: { email: ada.email } }],
    });
    const both = { prompt: 'x', generator: 'system:image-standard', model: 'local/atelier' };
    const refused = await client.graph(query, { input: both }, ada.key);
    expect(refused.body.errors[0].extensions).toMatchObject({ code: 'validation_error' });
  });

  it('check shape, then identity, then reference, and name every bad field', async () => {
    const path = '/v1/image-generators/01900000-0000-7000-8000-000000000000/runs';
    const bad = { prompt: '', num_images: 9, seed: 'x', reference_image_url: 'file:///etc/passwd' };
    for (const key of [undefined, 'good_live_wrong', ada.key]) {
      const { status, body } = await client.rest('POST', path, key, bad);
      expect(status).toBe(400);
      expect(body.details.map(({ field }: { field: string }) => field).sort()).toEqual(Object.keys(bad).sort());
    }
    expect((await client.rest('POST', path, undefined, { prompt: 'x' })).status).toBe(401);
    expect((await client.rest('POST', path, 'good_live_wrong', { prompt: 'x' })).status).toBe(401);
    expect((await client.rest('POST', path, ada.key, { prompt: 'x' })).status).toBe(404);
    const unknown = await client.rest('POST', '/v1/image-generators/system:image-standard/runs', ada.key, {
      prompt: 'x',
      params: { colour: 'red', image_size: 'huge' },
    });
    expect(unknown.status).toBe(400);
    expect(unknown.body.details.map(({ field }: { field: string }) => field).sort()).toEqual([
      'params.colour',
      'params.image_size',
    ]);
  });

  it('do a request with an Idempotency-Key once, and answer it alike', async () => {
    const send = async (prompt: string, idempotencyKey: string) => {
      const response = await fetch(`${platform.url}/v1/image-generators/system:image-standard/runs`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ada.key}`,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: JSON.stringify({ prompt, params: SMALL }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const first = await send('a', 'key-1');
    expect(await send('a', 'key-1')).toEqual(first);
    expect((await send('b', 'key-1')).status).toBe(409);
    expect((await send('a', 'key-2')).body['run_id']).not.toBe(first.body['run_id']);
  });

  it('spend no more than there is: with $0.05 left, five of twenty runs at once draw', async () => {
    const poor = await client.account('poor@example.com');
    const path = '/v1/image-generators/-/runs';
    const spent = await client.rest('POST', path, poor.key, {
      prompt: 'x',
      model: 'openai-compatible/costly',
      num_images: 4,
      params: { image_size: '256x256' },
    });
    expect([spent.body.status, spent.body.cost_usd]).toEqual(['complete', 4.95]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.rest('POST', '/v1/image-generators/system:image-standard/runs', poor.key, {
          prompt: 'x',
          params: SMALL,
        }),
      ),
    );
    expect(answers.filter(({ status, body }) => status === 200 && body.status === 'complete')).toHaveLength(5);
    expect(answers.filter(({ status, body }) => status === 402 && body.error === 'budget_exhausted')).toHaveLength(15);
    const images = mongo.db('darkroom').collection('images_images');
    expect(await images.countDocuments({ ownerId: poor.id.replace('usr_', ''), state: 'live' })).toBe(9);
  });

  it('are refused to a suspended account before anything is drawn', async () => {
    const person = await client.account('suspended@example.com');
    const users = mongo.db('darkroom').collection<{ _id: string }>('accounts_users');
    await users.updateOne({ _id: person.id.replace('usr_', '') }, { $set: { suspended: true } });
    const run = () =>
      client.rest('POST', '/v1/image-generators/-/runs', person.key, { prompt: 'x', model: 'gpt-image-2' });
    // Who a key belongs to is remembered for a moment.
    await expect.poll(async () => (await run()).status, { timeout: 10_000, interval: 500 }).toBe(403);
    openai.reset();
    expect((await run()).body.error).toBe('account_suspended');
    expect(openai.requests).toEqual([]);
  });

  it('keep a prompt nowhere: in no collection, no object, no log line and no metric', async () => {
    const marker = `unmistakable${Date.now()}`;
    const prompt = `a ${marker} by the sea`;
    const runPath = '/v1/image-generators/system:image-standard/runs';
    const headers = { 'idempotency-key': marker.replace('unmistakable', 'k') };
    await fetch(platform.url + runPath, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${ada.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ prompt, params: SMALL }),
    });
    openai.behave('refuse');
    await client.rest('POST', '/v1/image-generators/-/runs', ada.key, { prompt, model: 'gpt-image-2' });
    openai.behave('html');
    await client.rest('POST', '/v1/image-generators/-/runs', ada.key, { prompt, model: 'gpt-image-2' });
    await client.rest('POST', runPath, ada.key, { prompt, params: { nonsense: 1 } });
    await client.rest('POST', runPath, undefined, { prompt, params: SMALL });
    await client.graph(
      `mutation { runImageGenerator(input: {prompt: "${prompt}", params: {image_size: "64x64"}}) { run { id } } }`,
      {},
      ada.key,
    );
    await client.graph(
      `mutation { runImageGenerator(input: {prompt: "${prompt}", nonsense: 1}) { run { id } } }`,
      {},
      ada.key,
    );

    const found: string[] = [];
    for (const { name } of await mongo.db('darkroom').listCollections().toArray()) {
      for await (const document of mongo.db('darkroom').collection(name).find()) {
        if (JSON.stringify(document).includes(marker)) found.push(name);
      }
    }
    for (const program of platform.programs) {
      if (program.output().includes(marker)) found.push('log');
      const metrics = await (await fetch(`${program.url}/metrics`)).text();
      if (metrics.includes(marker)) found.push('metrics');
    }
    // Objects, and everything else that either engine writes.
    for (const file of await readdir(platform.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      if (path.includes(marker) || (await readFile(path)).includes(marker)) found.push(path);
    }
    expect(found).toEqual([]);
  });
});
