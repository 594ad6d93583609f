/** Every documented call of accounts, over REST and over the graph, against the platform as one process and as many. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';

describe.each(SHAPES)('accounts in %s', (_name, start) => {
  let platform: Platform;
  let client: Client;
  let ada: Account;
  let ben: Account;
  let eve: Account;

  beforeAll(async () => {
    platform = await start({ ANONYMOUS_MONTHLY_IMAGES: '2' });
    client = clientOf(platform);
    [ada, ben, eve] = (await Promise.all(
      ['ada@example.com', 'ben@example.com', 'eve@example.com'].map((email) => client.account(email)),
    )) as [Account, Account, Account];
  });
  afterAll(() => platform?.stop());

  describe('bootstrap', () => {
    it('tells a fresh client what to ignore', async () => {
      const { status, body } = await client.rest('GET', '/.well-known/goodeye-client-config');
      expect(status).toBe(200);
      expect(body.ignore_defaults).toEqual(expect.arrayContaining(['*.pyc', '.DS_Store']));
    });

    it('answers register and login alike for known and unknown addresses', async () => {
      const answers = await Promise.all([
        client.rest('POST', '/v1/register', undefined, { email: 'ada@example.com' }),
        client.rest('POST', '/v1/register', undefined, { email: 'unknown-1@example.com' }),
        client.rest('POST', '/v1/login', undefined, { email: 'ben@example.com' }),
        client.rest('POST', '/v1/login', undefined, { email: 'unknown-2@example.com' }),
      ]);
      for (const { status, body } of answers) {
        expect(status).toBe(202);
        expect(body).toEqual({ status: 'ok', message: expect.any(String) });
      }
      expect(new Set(answers.slice(0, 2).map(({ body }) => body.message)).size).toBe(1);
      expect(new Set(answers.slice(2).map(({ body }) => body.message)).size).toBe(1);
    });

    it('sends nothing to an unknown address that logs in', async () => {
      const before = platform.mailbox.mails.length;
      await client.rest('POST', '/v1/login', undefined, { email: 'nobody@example.com' });
      await client.rest('POST', '/v1/login', undefined, { email: 'eve@example.com' });
      await platform.mailbox.code('eve@example.com', before);
      expect(platform.mailbox.mails.filter(({ to }) => to === 'nobody@example.com')).toEqual([]);
    });

    it('signs a returning account in with a new key', async () => {
      const before = platform.mailbox.mails.length;
      await client.rest('POST', '/v1/login', undefined, { email: 'EVE@Example.com' });
      const code = await platform.mailbox.code('eve@example.com', before);
      const { status, body } = await client.rest('POST', '/v1/login/verify', undefined, {
        email: 'Eve@example.com',
        code,
      });
      expect(status).toBe(200);
      expect(body.api_key).toMatch(/^good_live_[0-9A-Za-z]{43}$/);
      expect((await client.rest('GET', '/v1/me', body.api_key)).body.id).toBe(eve.id);
    });

    it('refuses a wrong code with one sentence for every reason', async () => {
      await client.rest('POST', '/v1/login', undefined, { email: 'ben@example.com' });
      const wrong = await client.rest('POST', '/v1/login/verify', undefined, {
        email: 'ben@example.com',
        code: '000000',
      });
      const never = await client.rest('POST', '/v1/login/verify', undefined, {
        email: 'x@example.com',
        code: '000000',
      });
      expect(wrong.status).toBe(401);
      expect(wrong.body.error).toBe('invalid_credentials');
      expect({ ...never.body, request_id: '' }).toEqual({ ...wrong.body, request_id: '' });
    });

    it('does the same through the graph', async () => {
      const email = 'graph@example.com';
      const asked = await client.graph('mutation ($i: RegisterInput!) { register(input: $i) { status } }', {
        i: { email },
      });
      expect(asked.body).toEqual({ data: { register: { status: 'ok' } } });
      const code = await platform.mailbox.code(email);
      const verify = `mutation ($i: VerifyRegistrationInput!) {
        verifyRegistration(input: $i) { apiKey key { name } user { email } }
      }`;
      const { body } = await client.graph(verify, { i: { email, code } });
      expect(body.data.verifyRegistration.user).toEqual({ email });
      const again = await client.graph(verify, { i: { email, code } });
      expect(again.body.errors[0].extensions).toMatchObject({ code: 'invalid_credentials', http: { status: 401 } });
    });
  });

  describe('profile and handles', () => {
    it('shows the account', async () => {
      const { status, body } = await client.rest('GET', '/v1/me', ada.key);
      expect(status).toBe(200);
      expect(body).toEqual({
        id: expect.stringMatching(/^usr_[0-9a-f-]{36}$/),
        email: 'ada@example.com',
        handle: null,
        handle_claimed_at: null,
      });
    });

    it('needs a key', async () => {
      for (const key of [undefined, 'good_live_wrong', 'x'.repeat(5000)]) {
        const { status, headers, body } = await client.rest('GET', '/v1/me', key);
        expect(status).toBe(401);
        expect(body.error).toBe('auth_required');
        expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    });

    it('claims a handle once, visible at once', async () => {
      const { status, body } = await client.rest('PATCH', '/v1/me', ada.key, { handle: 'ada' });
      expect(status).toBe(200);
      expect(body).toMatchObject({ handle: 'ada', claimed_at: expect.stringMatching(/Z$/), id: ada.id });
      expect((await client.rest('GET', '/v1/me', ada.key)).body.handle).toBe('ada');
      const again = await client.rest('PATCH', '/v1/me', ada.key, { handle: 'ada-2' });
      expect([again.status, again.body.error]).toEqual([409, 'handle_already_claimed']);
    });

    it.each([
      ['ada', 409, 'handle_taken'],
      ['admin', 409, 'handle_reserved'],
      ['-x-', 400, 'handle_invalid'],
      ['ab', 400, 'handle_invalid'],
      ['With Space', 400, 'handle_invalid'],
    ])('refuses the handle %s with %s %s', async (handle, status, slug) => {
      const answer = await client.rest('PATCH', '/v1/me', ben.key, { handle });
      expect([answer.status, answer.body.error]).toEqual([status, slug]);
    });

    it('renames, and limits renaming', async () => {
      await client.rest('PATCH', '/v1/me', ben.key, { handle: 'ben' });
      const renamed = await client.rest('POST', '/v1/me/rename-handle', ben.key, { handle: 'benjamin' });
      expect(renamed.status).toBe(200);
      expect(renamed.body).toMatchObject({ handle: 'benjamin', renamed: true, self_reclaim: false });
      const soon = await client.rest('POST', '/v1/me/rename-handle', ben.key, { handle: 'benny' });
      expect([soon.status, soon.body.error]).toEqual([429, 'handle_rename_too_soon']);
      expect(Number(soon.headers.get('retry-after'))).toBeGreaterThan(0);
      const back = await client.rest('POST', '/v1/me/rename-handle', ben.key, { handle: 'ben' });
      expect(back.body).toMatchObject({ handle: 'ben', self_reclaim: true });
      const none = await client.rest('POST', '/v1/me/rename-handle', eve.key, { handle: 'eve' });
      expect([none.status, none.body.error]).toEqual([409, 'handle_not_claimed']);
    });

    it('looks users up by id, address and handle, and shows strangers no address', async () => {
      const query = 'query ($u: String!) { user(identifier: $u) { id handle email } }';
      for (const u of [ada.id, ada.id.slice(4), 'ADA@example.com', 'ada', '@ada']) {
        const { body } = await client.graph(query, { u }, ben.key);
        expect(body.data.user, u).toEqual({ id: ada.id, handle: 'ada', email: null });
      }
      const { body } = await client.graph(query, { u: 'nobody-has-this' }, ben.key);
      expect(body.errors[0].extensions).toMatchObject({ code: 'user_not_found', http: { status: 404 } });
    });
  });

  describe('API keys', () => {
    it('mints, lists and revokes', async () => {
      const minted = await client.rest('POST', '/v1/api-keys', ada.key, { name: 'my-automation' });
      expect(minted.status).toBe(201);
      expect(minted.body).toEqual({
        id: expect.stringMatching(/^key_/),
        name: 'my-automation',
        key: expect.stringMatching(/^good_live_/),
        created_at: expect.stringMatching(/Z$/),
      });
      expect((await client.rest('GET', '/v1/me', minted.body.key)).status).toBe(200);

      const listed = await client.rest('GET', '/v1/api-keys?limit=1', ada.key);
      expect(listed.body.items).toHaveLength(1);
      expect(listed.body.items[0]).toMatchObject({ id: minted.body.id, name: 'my-automation' });
      expect(JSON.stringify(listed.body)).not.toContain(minted.body.key);
      const rest = await client.rest('GET', `/v1/api-keys?cursor=${listed.body.next_cursor}`, ada.key);
      expect(rest.body.items.map(({ id }: { id: string }) => id)).not.toContain(minted.body.id);
      expect(rest.body.next_cursor).toBeNull();

      const revoked = await client.rest('DELETE', `/v1/api-keys/${minted.body.id}`, ada.key);
      expect([revoked.status, revoked.body]).toEqual([204, null]);
      expect((await client.rest('GET', '/v1/me', minted.body.key)).status).toBe(401);
      const again = await client.rest('DELETE', `/v1/api-keys/${minted.body.id}`, ada.key);
      expect([again.status, again.body.error]).toEqual([404, 'not_found']);
    });

    it('revokes by a name that one key has, and not by one that two have', async () => {
      for (const name of ['twin', 'twin', 'single']) await client.rest('POST', '/v1/api-keys', ada.key, { name });
      const twins = await client.rest('DELETE', '/v1/api-keys/twin', ada.key);
      expect([twins.status, twins.body.error]).toEqual([409, 'conflict']);
      expect((await client.rest('DELETE', '/v1/api-keys/single', ada.key)).status).toBe(204);
    });

    it('masks the keys of others', async () => {
      const { body } = await client.rest('GET', '/v1/api-keys?limit=1', ada.key);
      const foreign = await client.rest('DELETE', `/v1/api-keys/${body.items[0].id}`, ben.key);
      const missing = await client.rest('DELETE', '/v1/api-keys/key_01900000-0000-7000-8000-000000000000', ben.key);
      expect(foreign.status).toBe(404);
      expect({ ...foreign.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
      expect((await client.rest('GET', `/v1/api-keys/${body.items[0].id}`, ben.key)).status).toBe(404);
      expect((await client.rest('GET', `/v1/api-keys/${body.items[0].id}`, ada.key)).body.id).toBe(body.items[0].id);
    });
  });

  describe('tenants', () => {
    const withHeader = (path: string, key: string) =>
      fetch(platform.url + path, { headers: { 'x-api-key': key } }).then(({ status }) => status);

    it('are made with a key of their own, shown once', async () => {
      const made = await client.rest('POST', '/v2/tenants', ada.key);
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({
        tenant_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        api_key: expect.stringMatching(/^imgf_[0-9a-f]{64}$/),
        api_key_prefix: made.body.api_key.slice(0, 13),
        scopes: ['generate', 'read'],
        tier: 'free',
      });
      const listed = await client.rest('GET', '/v2/tenants', ada.key);
      expect(listed.body.tenants).toMatchObject([
        { tenant_id: made.body.tenant_id, api_key_prefix: made.body.api_key_prefix, is_default: false, tier: 'free' },
        { tenant_id: ada.id.replace('usr_', ''), api_key_prefix: null, is_default: true },
      ]);
      expect(JSON.stringify(listed.body)).not.toContain(made.body.api_key);
      expect(listed.body.next_cursor).toBeNull();
    });

    it('say what may be done and what was, to their own key too, in either header', async () => {
      const { body: made } = await client.rest('POST', '/v2/tenants', ada.key, { name: 'robot', scopes: ['read'] });
      const path = `/v2/tenants/${made.tenant_id}/usage`;
      for (const key of [ada.key, made.api_key]) {
        const { status, body } = await client.rest('GET', path, key);
        expect(status).toBe(200);
        expect(body).toMatchObject({
          tenant_id: made.tenant_id,
          name: 'robot',
          scopes: ['read'],
          tier: 'free',
          entitlements: { plan: 'free', allowed_tiers: ['draft', 'standard', 'premium'], frontier_unlocked: false },
          credits: { available: 50, welcome: 50 },
          jobs: { total: 0, queued: 0, processing: 0, completed: 0, failed: 0, failed_encoding: 0 },
        });
      }
      expect(await withHeader(path, made.api_key)).toBe(200);
      expect(await withHeader(path, made.api_key.replace(/.$/, 'x'))).toBe(401);
      expect((await client.rest('GET', path, ben.key)).status).toBe(404);
      expect((await client.rest('GET', `/v2/tenants/${ada.id.replace('usr_', '')}/usage`, made.api_key)).status).toBe(
        404,
      );
    });

    it('have keys that are good for what their scopes say, and for nothing of the account', async () => {
      const { body: reader } = await client.rest('POST', '/v2/tenants', ben.key, { scopes: ['read'] });
      const { body: maker } = await client.rest('POST', '/v2/tenants', ben.key, { scopes: ['generate'] });
      const refused: [string, string, string, object | undefined, string][] = [
        ['GET', '/v1/me', reader.api_key, undefined, 'account'],
        ['POST', '/v1/api-keys', maker.api_key, { name: 'x' }, 'account'],
        ['GET', '/v1/images', reader.api_key, undefined, 'account'],
        ['POST', '/v1/images', maker.api_key, {}, 'account'],
        ['POST', '/v2/tenants', maker.api_key, {}, 'account'],
        ['GET', '/v2/tenants', reader.api_key, undefined, 'account'],
        ['POST', `/v2/tenants/${reader.tenant_id}/rotate`, reader.api_key, undefined, 'account'],
        ['POST', '/v2/billing/portal', maker.api_key, undefined, 'account'],
        ['GET', '/v2/billing/status', maker.api_key, undefined, 'read'],
        ['GET', `/v2/tenants/${maker.tenant_id}/usage`, maker.api_key, undefined, 'read'],
        [
          'POST',
          '/v2/billing/purchase',
          reader.api_key,
          { packId: 'agent-credits-500', idempotencyKey: 'k' },
          'generate',
        ],
      ];
      for (const [method, path, key, sent, needed] of refused) {
        const { status, body } = await client.rest(method, path, key, sent);
        expect([status, body.error, body.required_scope], `${method} ${path}`).toEqual([403, 'forbidden', needed]);
      }
      expect((await client.rest('GET', '/v2/billing/status', reader.api_key)).status).toBe(200);
      const graph = await client.graph('{ billingStatus { quotaRemaining } me { email } }', {}, reader.api_key);
      expect(graph.body.errors[0].extensions).toMatchObject({ code: 'forbidden', required_scope: 'account' });
      const owner = '{ tenants { nodes { id } } }';
      expect((await client.graph(owner, {}, reader.api_key)).body.errors[0].extensions.code).toBe('forbidden');
      const own = 'query ($id: ID!) { tenant(id: $id) { id owner { id } } }';
      const seen = await client.graph(own, { id: reader.tenant_id }, reader.api_key);
      expect(seen.body.data.tenant).toEqual({ id: reader.tenant_id, owner: { id: ben.id } });
      const more = await client.graph(
        own.replace('owner { id }', 'owner { email }'),
        { id: reader.tenant_id },
        reader.api_key,
      );
      expect(more.body.errors[0].extensions.code).toBe('forbidden');
    });

    it('lose their old key at once when they are given a new one', async () => {
      const { body: made } = await client.rest('POST', '/v2/tenants', ada.key);
      const usage = (key: string) => client.rest('GET', `/v2/tenants/${made.tenant_id}/usage`, key);
      expect((await usage(made.api_key)).status).toBe(200);
      expect((await client.rest('POST', `/v2/tenants/${made.tenant_id}/rotate`, ben.key)).status).toBe(404);
      const { status, body } = await client.rest('POST', `/v2/tenants/${made.tenant_id}/rotate`, ada.key);
      expect(status).toBe(200);
      expect(body).toMatchObject({ tenant_id: made.tenant_id, scopes: ['generate', 'read'], tier: 'free' });
      expect((await usage(made.api_key)).status).toBe(401);
      expect((await usage(body.api_key)).status).toBe(200);
    });

    it('have jobs of their own, which other tenants and the default one do not see', async () => {
      const [one, other] = [
        (await client.rest('POST', '/v2/tenants', ada.key)).body,
        (await client.rest('POST', '/v2/tenants', ada.key)).body,
      ];
      const picture = { prompt: 'A red square', quality_tier: 'draft', idempotency_key: 'same' };
      const made = await client.rest('POST', '/v2/generate', one.api_key, picture);
      expect([made.status, made.body.state]).toEqual([201, 'completed']);
      const path = `/v2/jobs/${made.body.job_id}`;
      expect((await client.rest('GET', path, one.api_key)).status).toBe(200);
      for (const key of [other.api_key, ada.key, ben.key, undefined]) {
        expect((await client.rest('GET', path, key)).status).toBe(404);
        expect((await client.rest('DELETE', path, key)).status).toBe(404);
      }
      // The name of a request is the tenant's own too.
      const theirs = await client.rest('POST', '/v2/generate', other.api_key, { ...picture, prompt: 'A blue square' });
      expect(theirs.status).toBe(201);
      const usage = await client.rest('GET', `/v2/tenants/${one.tenant_id}/usage`, ada.key);
      expect(usage.body.jobs).toMatchObject({ total: 1, completed: 1 });
      expect(usage.body.credits.available).toBe(48);

      const { body: reader } = await client.rest('POST', '/v2/tenants', ada.key, { scopes: ['read'] });
      const refused = await client.rest('POST', '/v2/generate', reader.api_key, picture);
      expect([refused.status, refused.body.required_scope]).toEqual([403, 'generate']);
      expect((await client.rest('DELETE', path, reader.api_key)).status).toBe(403);
      expect((await client.rest('GET', '/v2/models', reader.api_key)).status).toBe(200);
    });

    it('is there without credentials: GET /v2/health', async () => {
      const { status, body } = await client.rest('GET', '/v2/health');
      expect([status, body]).toEqual([200, { status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) }]);
    });
  });

  describe('callers without an account', () => {
    const draw = (prompt: string) =>
      client.rest('POST', '/v2/generate', undefined, { prompt, quality_tier: 'draft', sync: true });

    it('have so many pictures a month for their network, and their jobs belong to it', async () => {
      const made = await draw('A red square');
      expect([made.status, made.body.state]).toEqual([201, 'completed']);
      const path = `/v2/jobs/${made.body.job_id}`;
      expect((await client.rest('GET', path)).body.job_id).toBe(made.body.job_id);
      expect((await client.rest('GET', path, ada.key)).status).toBe(404);
      expect((await client.rest('GET', path, 'good_live_wrong')).status).toBe(401);
      expect((await draw('A green square')).status).toBe(201);
      const spent = await draw('A blue square');
      expect([spent.status, spent.body.error]).toEqual([429, 'quota_exhausted']);
      expect((await client.rest('DELETE', path)).status).toBe(204);
      expect((await client.rest('GET', path)).status).toBe(404);
    });
  });

  describe('teams and invitations', () => {
    let team: string;

    it('needs a handle to make a team', async () => {
      const { status, body } = await client.rest('POST', '/v1/teams', eve.key, { handle: 'eves-team' });
      expect([status, body.error]).toEqual([409, 'handle_not_claimed']);
    });

    it('makes a team whose handle no user has', async () => {
      const made = await client.rest('POST', '/v1/teams', ada.key, { handle: 'studio' });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({
        team_id: expect.any(String),
        handle: 'studio',
        owner_user_id: ada.id,
        role: 'owner',
      });
      team = made.body.team_id;
      const taken = await client.rest('POST', '/v1/teams', ada.key, { handle: 'ben' });
      expect([taken.status, taken.body.error]).toEqual([409, 'handle_taken']);
    });

    it('hides the team from strangers', async () => {
      for (const path of [`/v1/teams/${team}`, '/v1/teams/studio', `/v1/teams/${team}/members`]) {
        expect((await client.rest('GET', path, eve.key)).status, path).toBe(404);
      }
      expect((await client.rest('DELETE', `/v1/teams/${team}`, eve.key)).status).toBe(404);
    });

    it('takes a member in through an invitation', async () => {
      const invited = await client.rest('POST', '/v1/teams/studio/members', ada.key, {
        user_identifier: 'ben@example.com',
      });
      expect(invited.status).toBe(201);
      expect(invited.body).toMatchObject({
        invitation_id: expect.any(String),
        kind: 'team_membership',
        state: 'pending',
        resource: { type: 'team', id: team, handle: 'studio' },
        proposer: { user_id: ada.id, handle: 'ada' },
        recipient: { user_id: ben.id, handle: 'ben' },
      });
      const again = await client.rest('POST', '/v1/teams/studio/members', ada.key, { user_identifier: '@ben' });
      expect([again.status, again.body.error]).toEqual([409, 'invitation_already_pending']);

      const id = invited.body.invitation_id;
      expect((await client.rest('POST', `/v1/invitations/${id}/accept`, eve.key)).status).toBe(404);
      expect((await client.rest('POST', `/v1/invitations/${id}/accept`, ada.key)).body.error).toBe('forbidden');
      expect((await client.rest('POST', `/v1/invitations/${id}/cancel`, ben.key)).body.error).toBe('forbidden');
      const listed = await client.rest('GET', '/v1/invitations', ben.key);
      expect(listed.body.items.map(({ invitation_id }: { invitation_id: string }) => invitation_id)).toEqual([id]);
      const sent = await client.rest('GET', '/v1/invitations?filter=sent&state=all', ada.key);
      expect(sent.body.items).toHaveLength(1);

      const accepted = await client.rest('POST', `/v1/invitations/${id}/accept`, ben.key);
      expect([accepted.status, accepted.body.state]).toEqual([200, 'accepted']);
      const twice = await client.rest('POST', `/v1/invitations/${id}/decline`, ben.key);
      expect([twice.status, twice.body.error]).toEqual([409, 'invitation_already_resolved']);
    });

    it('mails invitations that are still open', async () => {
      const before = platform.mailbox.mails.length;
      const path = '/v1/teams/studio/members';
      const { body } = await client.rest('POST', path, ada.key, { user_identifier: eve.email });
      await platform.mailbox.waitFor(({ to, text }) => to === eve.email && text.includes('studio'), before);
      await client.rest('POST', `/v1/invitations/${body.invitation_id}/cancel`, ada.key);
    });

    it('lists members with the owner first and without the addresses of others', async () => {
      const { body } = await client.rest('GET', `/v1/teams/${team}/members`, ben.key);
      expect(body).toEqual({
        items: [
          { user_id: ada.id, email: '', handle: 'ada', role: 'owner', joined_at: expect.any(String) },
          { user_id: ben.id, email: 'ben@example.com', handle: 'ben', role: 'member', joined_at: expect.any(String) },
        ],
        next_cursor: null,
      });
    });

    it('filters the list of teams', async () => {
      const mine = await client.rest('GET', '/v1/teams?filter=mine', ben.key);
      const member = await client.rest('GET', '/v1/teams?filter=member', ben.key);
      const wrong = await client.rest('GET', '/v1/teams?filter=theirs', ben.key);
      expect(mine.body.items).toEqual([]);
      expect(member.body.items.map(({ handle, role }: Record<string, string>) => [handle, role])).toEqual([
        ['studio', 'member'],
      ]);
      expect([wrong.status, wrong.body.details[0].field]).toEqual([400, 'filter']);
    });

    it('keeps what is for the owner from members', async () => {
      const calls = await Promise.all([
        client.rest('POST', '/v1/teams/studio/members', ben.key, { user_identifier: eve.email }),
        client.rest('POST', '/v1/teams/studio/transfer-ownership', ben.key, { new_owner_user_identifier: eve.email }),
        client.rest('DELETE', '/v1/teams/studio', ben.key),
      ]);
      for (const { status, body } of calls) expect([status, body.error]).toEqual([403, 'forbidden']);
    });

    it('declines and cancels', async () => {
      const invite = async () =>
        (await client.rest('POST', '/v1/teams/studio/members', ada.key, { user_identifier: eve.id })).body
          .invitation_id;
      const declined = await client.rest('POST', `/v1/invitations/${await invite()}/decline`, eve.key);
      expect(declined.body.state).toBe('declined');
      const cancelled = await client.rest('POST', `/v1/invitations/${await invite()}/cancel`, ada.key);
      expect(cancelled.body.state).toBe('cancelled');
    });

    it('hands the team over, and the old owner stays as a member', async () => {
      const offered = await client.rest('POST', '/v1/teams/studio/transfer-ownership', ada.key, {
        new_owner_user_identifier: '@ben',
      });
      expect([offered.status, offered.body.kind]).toEqual([201, 'team_ownership']);
      await client.rest('POST', `/v1/invitations/${offered.body.invitation_id}/accept`, ben.key);
      const { body } = await client.rest('GET', '/v1/teams/studio', ada.key);
      expect(body).toMatchObject({ owner_user_id: ben.id, role: 'member' });
    });

    it('lets members leave and the owner remove', async () => {
      const owner = await client.rest('DELETE', `/v1/teams/studio/members/${ben.id}`, ben.key);
      expect([owner.status, owner.body.error]).toEqual([409, 'conflict']);
      const left = await client.rest('DELETE', '/v1/teams/studio/members/ada@example.com', ada.key);
      expect(left.body).toEqual({ team_id: team, user_id: ada.id, removed: true });
      expect((await client.rest('GET', '/v1/teams/studio', ada.key)).status).toBe(404);
    });

    it('deletes a team and holds its handle', async () => {
      const deleted = await client.rest('DELETE', `/v1/teams/${team}`, ben.key);
      expect(deleted.body).toMatchObject({ team_id: team, deleted: true });
      const held = await client.rest('PATCH', '/v1/me', eve.key, { handle: 'studio' });
      expect([held.status, held.body.error]).toEqual([409, 'handle_taken']);
    });

    it('does all of it through the graph', async () => {
      const make = 'mutation ($i: CreateTeamInput!) { createTeam(input: $i) { team { id handle role } } }';
      const made = await client.graph(make, { i: { handle: 'graph-team' } }, ada.key);
      const { id, ...rest } = made.body.data.createTeam.team;
      expect(rest).toEqual({ handle: 'graph-team', role: 'OWNER' });
      const invite =
        'mutation ($i: InviteTeamMemberInput!) { inviteTeamMember(input: $i) { invitation { id state } } }';
      const invited = await client.graph(invite, { i: { teamIdentifier: id, userIdentifier: '@ben' } }, ada.key);
      const accept = 'mutation ($i: AcceptInvitationInput!) { acceptInvitation(input: $i) { invitation { state } } }';
      const input = { i: { id: invited.body.data.inviteTeamMember.invitation.id } };
      const accepted = await client.graph(accept, input, ben.key);
      expect(accepted.body.data.acceptInvitation.invitation.state).toBe('ACCEPTED');
      const query = '{ teams { nodes { handle owner { handle } members { nodes { role user { handle email } } } } } }';
      const { body } = await client.graph(query, {}, ben.key);
      expect(body.data.teams.nodes[0]).toEqual({
        handle: 'graph-team',
        owner: { handle: 'ada' },
        members: {
          nodes: [
            { role: 'OWNER', user: { handle: 'ada', email: null } },
            { role: 'MEMBER', user: { handle: 'ben', email: 'ben@example.com' } },
          ],
        },
      });
      const remove = 'mutation ($i: DeleteTeamInput!) { deleteTeam(input: $i) { deleted } }';
      const removed = await client.graph(remove, { i: { identifier: 'graph-team' } }, ada.key);
      expect(removed.body.data.deleteTeam.deleted).toBe(true);
    });
  });

  describe('the graph across subgraphs', () => {
    it('answers one query from four subgraphs', async () => {
      const { body } = await client.graph(
        `{ me { id handle tier { slug monthlyRefillUsd } images(first: 5) { nodes { id owner { id } } }
             generators { nodes { name } } } tiers { slug } }`,
        {},
        ada.key,
      );
      expect(body.errors).toBeUndefined();
      expect(body.data.me).toMatchObject({ id: ada.id, tier: { slug: 'hobby', monthlyRefillUsd: 5 } });
      expect(body.data.tiers.map(({ slug }: { slug: string }) => slug)).toEqual(['hobby', 'pro']);
    });

    it('shows nobody the private parts of another user', async () => {
      const query =
        'query ($u: String!) { user(identifier: $u) { tier { slug } images { nodes { id } } generators { nodes { id } } } }';
      const { body } = await client.graph(query, { u: 'ada' }, ben.key);
      expect(body.data.user).toEqual({ tier: null, images: null, generators: null });
    });
  });
});
