/** Every documented call of verifiers, over REST and over the graph, against the platform as one process and as many. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';
import { FAILS, type JudgeServer, openChatServer, PASSES } from '../verifiers/support/judge-servers.js';

const KEY = 'sk-the-key-of-the-judge';
const MARKER = 'quetzalcoatlus-5531';
const RUN = `mutation ($input: RunVerifierInput!) { runVerifier(input: $input) { run {
  id verifierId version status passed reasoning errorCode costUsd verifier { name owner { id email } }
} } }`;

describe.each(SHAPES)('verifiers in %s', (_name, start) => {
  let platform: Platform;
  let client: Client;
  let judge: JudgeServer;
  let ada: Account;
  let ben: Account;

  beforeAll(async () => {
    judge = await openChatServer();
    platform = await start({ JUDGE_URL: `${judge.url}/v1`, JUDGE_API_KEY: KEY, JUDGE_TIMEOUT_MS: '1500' });
    client = clientOf(platform);
    [ada, ben] = (await Promise.all(['ada@example.com', 'ben@example.com'].map((email) => client.account(email)))) as [
      Account,
      Account,
    ];
  });
  afterAll(async () => {
    await platform?.stop();
    await judge?.close();
  });

  const deploy = (body: object, key = ada.key) =>
    client.rest('POST', '/v1/verifiers', key, { criterion: 'It is clear.', input_fields: ['text'], ...body });
  const run = (id: string, body: object, key: string | undefined = ada.key) =>
    client.rest('POST', `/v1/verifiers/${id}/runs`, key, body);
  const remaining = async () => (await client.rest('GET', '/v1/me/usage', ada.key)).body.available_usd;

  it('deploys as documented, and then needs the token', async () => {
    const body = {
      name: 'response-clarity',
      criterion: 'The response is clear, direct, and free of unnecessary qualifiers.',
      input_fields: ['user_query', 'agent_response'],
      examples: [
        {
          inputs: { user_query: 'What is 2+2?', agent_response: '4' },
          expected: true,
          reasoning: 'Direct and complete.',
        },
      ],
    };
    const first = await deploy(body);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      verifier_id: expect.stringMatching(/^vrf_/),
      name: 'response-clarity',
      version: 1,
      version_token: expect.any(String),
      status: 'active',
    });
    const stale = await deploy(body);
    expect([stale.status, stale.body.error, stale.body.current_version_token]).toEqual([
      409,
      'conflict',
      first.body.version_token,
    ]);
    const second = await deploy({ ...body, expected_version_token: first.body.version_token });
    expect([second.status, second.body.verifier_id, second.body.version]).toEqual([201, first.body.verifier_id, 2]);
    const both = await deploy({ ...body, name: 'both', few_shot_examples: body.examples });
    expect([both.status, both.body.details[0].field]).toEqual([400, 'examples']);
    const neither = await deploy({ ...body, name: 'n', examples: [{ inputs: body.examples[0]?.inputs }] });
    expect([neither.status, neither.body.details[0].field]).toEqual([400, 'examples.0.passed']);
    const reserved = await deploy({ name: 'template-safety-block' });
    expect([reserved.status, reserved.body.error]).toEqual([409, 'conflict']);
  });

  it('shows a version to its owner by id, `id@version` and name, and nothing to others', async () => {
    const { body } = await client.rest('GET', '/v1/verifiers/response-clarity', ada.key);
    expect(body).toMatchObject({
      version: 2,
      current_version: 2,
      criterion: expect.stringContaining('unnecessary qualifiers'),
      input_contract: 'text',
      input_fields: ['user_query', 'agent_response'],
      few_shot_examples: [
        {
          inputs: { user_query: 'What is 2+2?', agent_response: '4' },
          passed: true,
          reasoning: 'Direct and complete.',
        },
      ],
      model_settings: { model: null, reasoning_effort: null },
    });
    const id = body.verifier_id;
    for (const path of [`${id}?version=1`, `${id}@1`, encodeURIComponent(`${id}@1`)]) {
      const pinned = await client.rest('GET', `/v1/verifiers/${path}`, ada.key);
      expect([pinned.status, pinned.body.version]).toEqual([200, 1]);
    }
    for (const key of [ben.key]) {
      const masked = await client.rest('GET', `/v1/verifiers/${id}`, key);
      expect([masked.status, masked.body.error]).toEqual([404, 'not_found']);
    }
    expect((await client.rest('GET', `/v1/verifiers/${id}`)).status).toBe(401);
  });

  it('lists page by page', async () => {
    await deploy({ name: 'another' });
    const first = await client.rest('GET', '/v1/verifiers?limit=1', ada.key);
    expect([first.status, first.body.items.length, first.body.items[0].name]).toEqual([200, 1, 'another']);
    const next = await client.rest('GET', `/v1/verifiers?limit=1&cursor=${first.body.next_cursor}`, ada.key);
    expect([next.body.items[0].name, next.body.next_cursor]).toEqual(['response-clarity', null]);
    expect((await client.rest('GET', '/v1/verifiers', ben.key)).body.items).toEqual([]);
  });

  it('runs as documented, for its price', async () => {
    const before = await remaining();
    judge.says = () => FAILS;
    const inputs = { user_query: 'What is 2+2?', agent_response: `It depends. ${MARKER}` };
    const answer = await run('response-clarity', { inputs });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      verifier_run_id: expect.stringMatching(/^vrn_/),
      anonymous_verifier_run_id: null,
      verifier_id: expect.stringMatching(/^vrf_/),
      version: 2,
      status: 'complete',
      passed: false,
      reasoning: 'It hedges.',
      duration_ms: expect.any(Number),
      created_at: expect.stringMatching(/Z$/),
      cost_usd: 0.01,
    });
    await expect.poll(remaining).toBeCloseTo(before - 0.01, 6);
    const graph = await client.graph(RUN, { input: { verifier: answer.body.verifier_id, inputs } }, ada.key);
    expect(graph.body.data.runVerifier.run).toMatchObject({
      status: 'COMPLETE',
      passed: false,
      verifier: { name: 'response-clarity', owner: { id: ada.id, email: ada.email } },
    });
    const listed = await client.rest('GET', `/v1/verifiers/${answer.body.verifier_id}/runs?limit=1`, ada.key);
    expect(listed.body.items).toEqual([
      expect.objectContaining({ verifier_run_id: graph.body.data.runVerifier.run.id }),
    ]);
    expect(listed.body.next_cursor).toEqual(expect.any(String));
    const masked = await client.rest('GET', `/v1/verifiers/${answer.body.verifier_id}/runs`, ben.key);
    expect(masked.status).toBe(404);
    judge.reset();
  });

  it('does a named request once', async () => {
    const send = (text: string) =>
      fetch(`${platform.url}/v1/verifiers/another/runs`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ada.key}`,
          'content-type': 'application/json',
          'idempotency-key': 'once',
        },
        body: JSON.stringify({ inputs: { text } }),
      });
    const first = (await (await send('a')).json()) as { verifier_run_id: string };
    const again = (await (await send('a')).json()) as { verifier_run_id: string };
    expect([first.verifier_run_id, judge.requests.length]).toEqual([again.verifier_run_id, 1]);
    expect((await send('b')).status).toBe(409);
    judge.reset();
  });

  it('refuses in the documented order, without a row', async () => {
    const runs = async () => (await client.rest('GET', '/v1/verifiers/another/runs', ada.key)).body.items.length;
    const before = await runs();
    const cases: [string, object, string | undefined, number, string][] = [
      ['another', { inputs: { text: 5 } }, undefined, 400, 'validation_error'],
      ['another', { inputs: { text: 'x' } }, undefined, 401, 'auth_required'],
      ['system:workflow-design-qa', { inputs: { workflow: 'x' } }, undefined, 401, 'auth_required'],
      ['nothing', { inputs: {} }, ada.key, 404, 'not_found'],
      ['another', { inputs: { text: 'x' } }, ben.key, 404, 'not_found'],
      ['another', { inputs: { other: 'x' } }, ada.key, 400, 'validation_error'],
      ['another', { inputs: { text: 'x' }, media_url: 'https://a.example/x.png' }, ada.key, 400, 'validation_error'],
    ];
    for (const [id, body, key, status, slug] of cases) {
      const answer = await client.rest('POST', `/v1/verifiers/${id}/runs`, key, body);
      expect([id, answer.status, answer.body.error]).toEqual([id, status, slug]);
    }
    const named = await run('system:template-safety-block', { inputs: { body: 'x' } });
    expect(named.body.message).toContain('inputs.description: is required');
    expect(await runs()).toBe(before);
  });

  it('tells a judge that failed from one that is slow or overloaded, and charges for none', async () => {
    const before = await remaining();
    for (const [behaviour, code] of [
      ['rate_limited', 'verifier_unavailable'],
      ['server_error', 'verifier_unavailable'],
      ['garbage', 'runtime_error'],
      ['cut', 'runtime_error'],
      ['hang', 'timeout'],
    ] as const) {
      judge.behave(behaviour);
      const { status, body } = await run('another', { inputs: { text: 'x' } });
      expect([status, body.status, body.error_code, body.passed, body.cost_usd]).toEqual([200, 'error', code, null, 0]);
      // So that its circuit stays closed.
      judge.reset();
      await run('another', { inputs: { text: 'x' } });
    }
    await expect.poll(remaining).toBeCloseTo(before - 0.05, 6);
  });

  it('sees a hosted picture with the rights of who asks', async () => {
    await deploy({ name: 'picture', input_contract: 'image', input_fields: [] });
    const form = new FormData();
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
      'base64',
    );
    form.append('file', new Blob([png], { type: 'image/png' }), 'dot.png');
    const headers = { authorization: `Bearer ${ada.key}` };
    const upload = await fetch(`${platform.url}/v1/images`, { method: 'POST', headers, body: form });
    const image = (await upload.json()) as { url: string };
    const { status, body } = await run('picture', { media_url: image.url });
    expect([status, body.status]).toEqual([200, 'complete']);
    expect(JSON.stringify(judge.last().json)).toContain(png.toString('base64'));
    const missing = await run('picture', {});
    expect([missing.status, missing.body.details[0].field]).toEqual([400, 'media_url']);
    judge.reset();
  });

  it('runs the platform’s own, by rule and by judge', async () => {
    judge.says = () => PASSES;
    const template = { description: 'Cleans up.', outcome: 'A clean disk.' };
    const bad = await run('system:template-safety-block', {
      inputs: { ...template, body: 'sudo rm -rf / --no-preserve-root' },
    });
    expect(bad.body).toMatchObject({ verifier_id: 'system:template-safety-block', status: 'complete', passed: false });
    const good = await run('system:template-safety-block', { inputs: { ...template, body: 'Empty the trash.' } });
    expect(good.body).toMatchObject({ passed: true, reasoning: 'It is clear.' });
    const design = await run('system:workflow-design-qa', { inputs: { workflow: 'Do it.' } });
    expect(design.body).toMatchObject({ status: 'complete', passed: true });
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['DELETE', '/permanent'],
      ['GET', '/runs'],
    ] as const) {
      const answer = await client.rest(method, `/v1/verifiers/system:workflow-design-qa${path}`, ada.key);
      expect([answer.status, answer.body.error]).toEqual([404, 'not_found']);
    }
    judge.reset();
  });

  it('revokes and erases', async () => {
    const { body } = await deploy({ name: 'gone' });
    await run(body.verifier_id, { inputs: { text: 'x' } });
    const revoked = await client.rest('DELETE', `/v1/verifiers/${body.verifier_id}`, ada.key);
    expect([revoked.status, revoked.body]).toEqual([200, { verifier_id: body.verifier_id, status: 'revoked' }]);
    expect((await deploy({ name: 'gone' })).status).toBe(409);
    for (const reference of [body.verifier_id, 'gone']) {
      expect((await run(reference, { inputs: { text: 'x' } })).status).toBe(404);
      expect((await client.rest('GET', `/v1/verifiers/${reference}`, ada.key)).status).toBe(404);
      expect((await client.rest('GET', `/v1/verifiers/${reference}/runs`, ada.key)).body.items).toHaveLength(1);
      const again = await client.rest('DELETE', `/v1/verifiers/${reference}`, ada.key);
      expect([again.status, again.body]).toEqual([revoked.status, revoked.body]);
    }
    expect((await client.rest('DELETE', '/v1/verifiers/gone/permanent', ben.key)).status).toBe(404);
    const erased = await client.rest('DELETE', '/v1/verifiers/gone/permanent', ada.key);
    expect([erased.status, erased.body]).toEqual([200, { verifier_id: body.verifier_id, deleted: true }]);
    for (const reference of [body.verifier_id, 'gone']) {
      expect((await client.rest('GET', `/v1/verifiers/${reference}/runs`, ada.key)).status).toBe(404);
    }
    expect((await deploy({ name: 'gone' })).body.version).toBe(1);
  });

  it('revokes, lists the runs of, and erases one by its name over the graph too', async () => {
    const { body } = await deploy({ name: 'gone-too' });
    await run('gone-too', { inputs: { text: 'x' } });
    const ask = async (source: string) => (await client.graph(source, {}, ada.key)).body.data;
    const revoke = 'mutation { revokeVerifier(input: { verifier: "gone-too" }) { verifierId status } }';
    for (const answer of [await ask(revoke), await ask(revoke)]) {
      expect(answer.revokeVerifier).toEqual({ verifierId: body.verifier_id, status: 'REVOKED' });
    }
    expect((await ask('{ verifier(id: "gone-too") { id } }')).verifier).toBeNull();
    const { verifierRuns } = await ask('{ verifierRuns(verifierId: "gone-too") { nodes { passed } } }');
    expect(verifierRuns.nodes).toEqual([{ passed: true }]);
    const erase = 'mutation { deleteVerifier(input: { verifier: "gone-too" }) { verifierId deleted } }';
    expect((await ask(erase)).deleteVerifier).toEqual({ verifierId: body.verifier_id, deleted: true });
  });

  it('logs neither keys nor what was judged', () => {
    for (const program of platform.programs) {
      expect(program.output()).not.toContain(KEY);
      expect(program.output()).not.toContain(MARKER);
    }
  });
});

describe('verifiers without a judge’s address', () => {
  const [, oneProcess] = SHAPES[0] ?? [];

  it('go by examples, and answer 503 without any', async () => {
    if (!oneProcess) throw new Error('no shape');
    const local = await oneProcess();
    try {
      const client = clientOf(local);
      const { key } = await client.account('ada@example.com');
      const examples = [
        { inputs: { text: 'I love it, wonderful!' }, expected: true },
        { inputs: { text: 'Terrible, I want a refund.' }, expected: false },
      ];
      await client.rest('POST', '/v1/verifiers', key, {
        name: 'v',
        criterion: 'Positive.',
        input_fields: ['text'],
        examples,
      });
      await client.rest('POST', '/v1/verifiers', key, { name: 'bare', criterion: 'c', input_fields: ['text'] });
      const judged = await client.rest('POST', '/v1/verifiers/v/runs', key, {
        inputs: { text: 'What a terrible thing.' },
      });
      expect(judged.body).toMatchObject({
        status: 'complete',
        passed: false,
        reasoning: expect.stringMatching(/^Local judge/),
      });
      const bare = await client.rest('POST', '/v1/verifiers/bare/runs', key, { inputs: { text: 'x' } });
      expect([bare.status, bare.body.error, bare.body.retryable]).toEqual([503, 'verifier_unavailable', true]);
      expect((await client.rest('GET', '/v1/verifiers/bare/runs', key)).body.items).toEqual([]);
    } finally {
      await local.stop();
    }
  });
});
