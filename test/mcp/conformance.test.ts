/** The official conformance suite against the doors for agents. */
import { setTimeout } from 'node:timers/promises';
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Admit } from '../../gateway/admission.js';
import { mountMcp, type Tools } from '../../mcp/server.js';
import { LocalEvents } from '../../platform/events.js';
import { createHttp } from '../../platform/http.js';
import { Metrics } from '../../platform/metrics.js';
import { systemScope, wholeAccount } from '../../platform/scope.js';
import { type Account, clientOf } from '../support/client.js';
import { REVISIONS } from '../support/mcp/client.js';
import { conformance } from '../support/mcp/conformance.js';
import { oneProcess, type Platform } from '../support/platform.js';

const PATHS = ['/mcp', '/v2/mcp'];

/** What the suite asks of its own reference server. These stand aside by name, each with the reason. */
const NOT_APPLICABLE: readonly (readonly [reason: string, scenarios: RegExp])[] = [
  [
    'calls tools of the suite’s reference server; below, the same mount stands in front of such tools',
    /^tools-call-(simple-text|error|image|audio|embedded-resource|mixed-content|with-logging|with-progress)$|^json-schema-2020-12$|^server-sse-polling$/,
  ],
  ['the doors offer no prompts', /^prompts-/],
  ['the doors offer no resources', /^resources-/],
  ['nothing is completed: there are no prompts or resource templates', /^completion-complete$/],
  ['the doors write no log to clients', /^logging-set-level$/],
  ['no tool asks the client back', /^(tools-call-(sampling|elicitation)|elicitation-|input-required-result-)/],
  ['tasks are an extension that the doors do not have: a job is looked at with check_job', /^tasks-/],
  ['no tool mirrors an argument in a header', /^http-custom-header-server-validation$/],
];
const PROBED = /^tools-call-(simple-text|error|image|audio|embedded-resource|mixed-content|with-progress)$/;
const APPLY = {
  '2025-11-25': [
    'dns-rebinding-protection',
    'ping',
    'server-initialize',
    'server-session-lifecycle',
    'server-sse-multiple-streams',
    'tools-list',
  ],
  '2026-07-28': [
    'caching',
    'dns-rebinding-protection',
    'http-header-validation',
    'sep-2164-resource-not-found',
    'server-sse-multiple-streams',
    'server-stateless',
    'tools-list',
  ],
} as const;
/** Single checks of scenarios that apply otherwise. */
const NOT_APPLICABLE_CHECKS: readonly (readonly [reason: string, checks: RegExp])[] = [
  ['the doors have no prompts and resources to list', /^sep-2549-(prompts|resources)-/],
  ['needs tools of the suite’s reference server', /Not testable: server does not list the diagnostic tool/],
];

const CALLER = {
  userId: 'u',
  keyId: 'k',
  email: 'ada@example.com',
  handle: null,
  handleClaimedAt: null,
  createdAt: new Date(),
  suspended: false,
  ...wholeAccount('u'),
};
const OPTIONS = {
  path: '/mcp',
  name: 'probes',
  title: 'Probes',
  version: '1.0.0',
  instructions: 'Call a probe.',
  bodyLimit: 1_000_000,
  maxBatch: 10,
  resourceMetadataUrl: 'http://localhost/.well-known/oauth-protected-resource/mcp',
  origins: new Set<string>(),
};
const said = (...content: ContentBlock[]): CallToolResult => ({ content });
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';
const PICTURE: ContentBlock = { type: 'image', data: DOT, mimeType: 'image/png' };
const RESOURCE: ContentBlock = {
  type: 'resource',
  resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' },
};
const PROBES: Readonly<Record<string, () => Promise<CallToolResult>>> = {
  test_simple_text: async () => said({ type: 'text', text: 'This is a simple text response for testing.' }),
  test_image_content: async () => said(PICTURE),
  test_audio_content: async () => said({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }),
  test_embedded_resource: async () => said(RESOURCE),
  test_multiple_content_types: async () => said({ type: 'text', text: 'Several kinds:' }, PICTURE, RESOURCE),
  test_error_handling: async () => ({ ...said({ type: 'text', text: 'This tool fails on purpose' }), isError: true }),
  test_tool_with_progress: async () => {
    await setTimeout(1_300);
    return said({ type: 'text', text: 'done' });
  },
};

/** Tools as the suite knows them, behind the mount that our own stand behind. */
async function withProbes(run: (url: string) => Promise<void>): Promise<void> {
  const log = pino({ level: 'silent' });
  const app = createHttp({
    log,
    metrics: new Metrics(),
    bodyLimit: 1_000_000,
    requestTimeoutMs: 10_000,
    trustProxy: 0,
  });
  const tools: Tools = {
    listed: Object.keys(PROBES).map((name) => ({ name, description: name, inputSchema: { type: 'object' } })),
    has: (name) => name in PROBES,
    isSlow: (name) => name === 'test_tool_with_progress',
    call: (name) => PROBES[name]?.() ?? Promise.reject(new Error(name)),
  };
  const admit: Admit = async ({ id }) => ({ ...systemScope(id), caller: CALLER });
  mountMcp(app, OPTIONS, { tools, admit, events: new LocalEvents() });
  await app.listen({ host: '127.0.0.1', port: 0 });
  await run(app.listeningOrigin);
  await app.close();
}

let platform: Platform;
let account: Account;

beforeAll(async () => {
  platform = await oneProcess();
  account = await clientOf(platform).account('ada@example.com');
});
afterAll(() => platform?.stop());

describe.each(PATHS)('%s', (path) => {
  it.each(REVISIONS)('conforms to revision %s in every scenario that applies', async (revision) => {
    const scenarios = await conformance(platform.url, path, account.key, revision);
    const aside = (name: string) => NOT_APPLICABLE.some(([, pattern]) => pattern.test(name));
    const applying = scenarios.filter(({ name }) => !aside(name));
    const failures = applying.flatMap((scenario) => scenario.failures);
    expect(failures.filter((failure) => !NOT_APPLICABLE_CHECKS.some(([, checks]) => checks.test(failure)))).toEqual([]);
    expect(applying.map(({ name }) => name).sort()).toEqual(APPLY[revision]);
  });
});

it.each(REVISIONS)('the mount conforms to revision %s with the tools that the suite calls', async (revision) => {
  await withProbes(async (url) => {
    const scenarios = await conformance(url, '/mcp', 'any', revision);
    const probed = scenarios.filter(({ name }) => PROBED.test(name));
    expect(probed.length).toBe(7);
    expect(probed.filter(({ failures }) => failures.length > 0)).toEqual([]);
  });
});
