import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ConfigError, configTable, parseConfig, requireSharedSecret, VARIABLES } from '../../platform/config.js';

describe('settings', () => {
  it('need nothing', () => {
    const config = parseConfig({});
    expect(config.PORT).toBe(4000);
    expect(config.PUBLIC_URL).toBe('http://localhost:4000');
    expect(config.MONGODB_URL).toBeUndefined();
    expect(config.DATA_DIR).toMatch(/^\/.*data$/);
  });

  it.each([
    [{ PORT: 'http' }, 'PORT must be a whole number (it is "http"), for example PORT=4000'],
    [{ PORT: '70000' }, 'PORT must be between 0 and 65535 (it is "70000"), for example PORT=4000'],
    [{ MONGODB_URL: 'postgres://x' }, 'MONGODB_URL must be a URL that starts with mongodb:// or mongodb+srv://'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of fatal'],
    [{ TIER_PRO_USD: '1e9' }, 'TIER_PRO_USD must be an amount of dollars'],
    [{ SECRET_KEY: 'short' }, 'SECRET_KEY must have at least 32 characters'],
    [{ S3_ACCESS_KEY_ID: 'id' }, 'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together'],
  ])('that are wrong stop the start with one line: %j', (environment, line) => {
    expect(() => parseConfig(environment as Record<string, string>)).toThrow(ConfigError);
    try {
      parseConfig(environment as Record<string, string>);
    } catch (error) {
      expect((error as Error).message).toContain(line);
      expect((error as Error).message).not.toContain('\n');
    }
  });

  it('never repeat a wrong secret', () => {
    expect(() => parseConfig({ SMTP_URL: 'http://user:hunter2@mail' })).toThrow(/^(?!.*hunter2)SMTP_URL must be/);
    expect(configTable({ SMTP_URL: 'smtp://user:hunter2@mail' })).not.toContain('hunter2');
  });

  it('insist on a shared secret in production with several processes', () => {
    const several = { NODE_ENV: 'production', SUBGRAPH_BILLING_URL: 'http://billing:4000' };
    expect(() => requireSharedSecret(parseConfig(several))).toThrow(/SECRET_KEY must be set/);
    expect(() => requireSharedSecret(parseConfig({ ...several, SECRET_KEY: 'x'.repeat(32) }))).not.toThrow();
    expect(() => requireSharedSecret(parseConfig({ NODE_ENV: 'production' }))).not.toThrow();
  });

  it('read the prices of an image server’s models, and name what is wrong with them', () => {
    const { OPENAI_IMAGE_MODELS } = parseConfig({ OPENAI_IMAGE_MODELS: 'flux-dev=0.02, org/sdxl:turbo=0.0004' });
    expect([...OPENAI_IMAGE_MODELS]).toEqual([
      ['flux-dev', 0.02],
      ['org/sdxl:turbo', 0.0004],
    ]);
    expect([...parseConfig({}).OPENAI_IMAGE_MODELS]).toEqual([]);
    for (const wrong of ['flux-dev', 'flux-dev=', 'flux=-1', 'flux=0.0000001', '=1', 'a b=1']) {
      expect(() => parseConfig({ OPENAI_IMAGE_MODELS: wrong }), wrong).toThrow(/^OPENAI_IMAGE_MODELS must be a list/);
    }
  });

  it('accept every example they give', () => {
    // Some are only valid together.
    const companions: Record<string, Record<string, string>> = {
      S3_: { S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 'b' },
      CLOUDFLARE_: { CLOUDFLARE_ACCOUNT_ID: 'a', CLOUDFLARE_API_TOKEN: 'b' },
      STRIPE_: { STRIPE_WEBHOOK_SECRET: 'whsec_a' },
      EMBEDDINGS_: { EMBEDDINGS_MODEL: 'a' },
    };
    for (const [name, { example }] of Object.entries(VARIABLES)) {
      const extra = Object.entries(companions).find(([prefix]) => name.startsWith(prefix))?.[1] ?? {};
      const value = name === 'SECRET_KEY' ? 'x'.repeat(44) : example;
      expect(() => parseConfig({ ...extra, [name]: value }), name).not.toThrow();
    }
  });

  it('stand in the README as the program prints them', async () => {
    expect(await readFile('README.md', 'utf8')).toContain(configTable({}));
  });
});
