/** The door for pictures from a prompt: jobs, seen by an agent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { V2_TOOLS } from '../../mcp/v2-tools.js';
import { openOpenAi } from '../providers/openai.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { agent, REVISIONS, slugOf } from '../support/mcp/client.js';
import { oneProcess, type Platform, SHAPES } from '../support/platform.js';

type Agent = Awaited<ReturnType<typeof agent>>;

describe.each(SHAPES)('/v2/mcp in %s', (_shape, start) => {
  let platform: Platform;
  let client: Client;
  let ada: Account;
  let tools: Agent;

  beforeAll(async () => {
    platform = await start();
    client = clientOf(platform);
    ada = await client.account('ada@example.com');
    tools = await agent(platform.url, '/v2/mcp', ada.key);
  });
  afterAll(async () => {
    await tools?.close();
    await platform?.stop();
  });

  const call = (name: string, args: Record<string, unknown> = {}) => tools.callTool({ name, arguments: args });

  it('has the documented tools', async () => {
    const { tools: listed } = await tools.listTools();
    expect(listed.map(({ name }) => name)).toEqual(V2_TOOLS.map(({ name }) => name));
    const generate = listed.find(({ name }) => name === 'generate_image');
    expect(Object.keys(generate?.inputSchema.properties ?? {})).not.toContain('sync');
    expect(generate?.inputSchema.required).toEqual(['prompt']);
  });

  it('draws, shows and keeps a picture, which is a job like any other', async () => {
    const drawn = await call('generate_image', { prompt: 'A lighthouse', quality_tier: 'draft' });
    const job = drawn.structuredContent as { job_id: string };
    expect(job).toMatchObject({ state: 'completed', asset_url: expect.stringContaining('/v2/assets/') });
    expect(drawn.content.map(({ type }) => type)).toEqual(['text', 'image']);
    const checked = await call('check_job', { job_id: job.job_id });
    expect(checked.structuredContent).toEqual((await client.rest('GET', `/v2/jobs/${job.job_id}`, ada.key)).body);
  });

  it('waits for tiers for which the REST path does not', async () => {
    const { structuredContent } = await call('generate_image', { prompt: 'A harbour', quality_tier: 'premium' });
    expect(structuredContent).toMatchObject({ state: 'completed', quality_tier: 'premium' });
  });

  it('says the models in words, with the data beside them', async () => {
    const { structuredContent, content } = await call('list_models');
    expect(structuredContent).toEqual((await client.rest('GET', '/v2/models', ada.key)).body);
    const [text] = content.map((block) => (block.type === 'text' ? block.text : ''));
    expect(text).toMatch(/^Tier defaults .*quality_tier "draft".*Selectable overrides.*unlock them:/s);
  });

  it('varies a completed job', async () => {
    const source = await call('generate_image', { prompt: 'A tree', quality_tier: 'draft' });
    const { job_id } = source.structuredContent as { job_id: string };
    const { structuredContent } = await call('create_variation', { job_id, count: 2, seed: 7 });
    expect((structuredContent as { jobs: object[] }).jobs).toHaveLength(2);
  });

  it('lets in the key of a tenant, for what its scopes say', async () => {
    const { body: tenant } = await client.rest('POST', '/v2/tenants', ada.key, { name: 'reader', scopes: ['read'] });
    const reader = await agent(platform.url, '/v2/mcp', tenant.api_key);
    expect(slugOf(await reader.callTool({ name: 'list_models', arguments: {} }))).toBeNull();
    expect(slugOf(await reader.callTool({ name: 'generate_image', arguments: { prompt: 'x' } }))).toBe('forbidden');
    await reader.close();
    const { body: maker } = await client.rest('POST', '/v2/tenants', ada.key, { name: 'maker', scopes: ['generate'] });
    const drawing = await agent(platform.url, '/v2/mcp', maker.api_key);
    const drawn = await drawing.callTool({ name: 'generate_image', arguments: { prompt: 'x', quality_tier: 'draft' } });
    expect(drawn.structuredContent).toMatchObject({ state: 'completed' });
    expect(slugOf(await drawing.callTool({ name: 'list_models', arguments: {} }))).toBe('forbidden');
    await drawing.close();
  });

  it('tells what is left, and speaks of a spent quota as agents know it', async () => {
    expect((await call('billing_status')).structuredContent).toMatchObject({ hasSavedCard: false });
    const many = Array.from({ length: 20 }, (_, i) =>
      call('generate_image', { prompt: `Flower ${i}`, quality_tier: 'premium' }),
    );
    const spent = (await Promise.all(many)).find((result) => slugOf(result) === 'quota_exhausted');
    const [text] = (spent?.content ?? []).map((block) => (block.type === 'text' ? JSON.parse(block.text) : null));
    expect(text).toMatchObject({ code: 'QUOTA_EXHAUSTED', hint: expect.stringContaining('billing_purchase_credits') });
    expect(slugOf(await call('billing_purchase_credits', { packId: 'agent-credits-500', idempotencyKey: 'k' }))).toBe(
      'billing_not_configured',
    );
  });
});

describe('a generation that is called off', () => {
  let platform: Platform;
  let client: Client;
  let openai: StandIn;

  beforeAll(async () => {
    openai = await openOpenAi();
    // Nobody works on jobs, so every one of them waits.
    platform = await oneProcess({
      WORKERS: '0',
      LOCAL_PROVIDER: 'on',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `${openai.url}/v1`,
    });
    client = clientOf(platform);
  });
  afterAll(async () => {
    await platform?.stop();
    await openai?.close();
  });

  /** Resolves to what became of a call that is called off once `begun` holds. */
  async function calledOff(tools: Agent, args: Record<string, unknown>, begun: () => Promise<void>): Promise<string> {
    const stop = new AbortController();
    const call = tools.callTool({ name: 'generate_image', arguments: args }, { signal: stop.signal });
    const ended = call.then(
      () => 'answered',
      () => 'called off',
    );
    await begun();
    stop.abort();
    return ended;
  }

  it.each(REVISIONS)('is gone and costs nothing, from a client of revision %s', async (revision) => {
    const ada = await client.account(`ada-${revision}@example.com`);
    const balance = async () => (await client.rest('GET', '/v2/billing/status', ada.key)).body.quotaRemaining;
    const jobs = async () => (await client.rest('GET', '/v2/jobs', ada.key)).body.jobs;
    const before = await balance();
    const tools = await agent(platform.url, '/v2/mcp', ada.key, revision);
    const ended = calledOff(tools, { prompt: 'Never' }, async () => {
      await expect.poll(jobs).toHaveLength(1);
      expect(await balance()).toBeLessThan(before);
    });
    expect(await ended).toBe('called off');
    await expect.poll(jobs).toHaveLength(0);
    await expect.poll(balance).toBe(before);
    await tools.close();
  });

  it.each(REVISIONS)(
    'ends at its provider and costs nothing at /mcp, from a client of revision %s',
    async (revision) => {
      const ada = await client.account(`run-${revision}@example.com`);
      const remaining = async () => (await client.rest('GET', '/v1/me/usage', ada.key)).body.remaining_usd;
      const before = await remaining();
      const tools = await agent(platform.url, '/mcp', ada.key, revision);
      openai.behave('hang');
      const asked = openai.requests.length;
      const args = { generator_id: 'system:image-ultra', prompt: 'Never' };
      expect(await calledOff(tools, args, () => expect.poll(() => openai.requests.length).toBe(asked + 1))).toBe(
        'called off',
      );
      await expect.poll(remaining).toBe(before);
      await tools.close();
    },
  );
});
