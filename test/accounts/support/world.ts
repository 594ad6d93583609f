/** The accounts subgraph over a real engine, with a clock that tests turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type GraphQLError, parse } from 'graphql';
import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { openEmbeddedMongo } from '../../../platform/embedded/mongo.js';
import { type ErrorSlug, Problem } from '../../../platform/errors.js';
import { IDENTITY_CHANGED, LocalEvents } from '../../../platform/events.js';
import type { Mail, Mailer } from '../../../platform/mail.js';
import { ensureIndexes } from '../../../platform/mongo/store.js';
import { type Scope, systemScope, wholeAccount } from '../../../platform/scope.js';
import { Secrets } from '../../../platform/secrets.js';
import type { Subgraph } from '../../../platform/subgraph.js';
import type { AccountsContext } from '../../../subgraphs/accounts/context.js';
import type { AccountsSettings } from '../../../subgraphs/accounts/deps.js';
import { createAccounts } from '../../../subgraphs/accounts/subgraph.js';
import type { Profile } from '../../../subgraphs/accounts/user/user.model.js';
import { type Owned, OwnershipService } from '../../../subgraphs/registry/ownership/ownership.service.js';
import { TEMPLATES } from '../../../subgraphs/registry/template/template.model.js';
import { WORKFLOWS } from '../../../subgraphs/registry/workflow/workflow.model.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

export const SETTINGS: AccountsSettings = {
  publicUrl: 'http://localhost:4000',
  codeTtlSeconds: 600,
  codesPerEmail: 5,
  codesPerAddress: 20,
  invitationTtlDays: 14,
  reservedHandles: ['acme'],
  oauthClientsPerHour: 0,
  userLookupsPerMinute: 0,
  keysPerUser: 500,
  tenantsPerUser: 100,
  teamsPerUser: 100,
  membersPerTeam: 500,
  pendingInvitationsPerUser: 200,
};

export class Clock {
  #now = new Date('2026-03-01T12:00:00.000Z');
  readonly now = () => new Date(this.#now);

  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }

  set(time: string): void {
    this.#now = new Date(time);
  }
}

class Inbox implements Mailer {
  readonly mails: Mail[] = [];

  send(mail: Mail): void {
    this.mails.push(mail);
  }

  async drain(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Commands {
  readonly started: CommandStartedEvent[];
  /** What was sent to the engine while the action ran. */
  during<T>(action: () => Promise<T>): Promise<{ result: T; commands: CommandStartedEvent[] }>;
}

export interface Answer {
  data: Record<string, never>;
  slug: ErrorSlug | undefined;
  problem: Problem | undefined;
}

export interface World {
  db: Db;
  clock: Clock;
  inbox: Inbox;
  accounts: Subgraph;
  commands: Commands;
  /** User ids whose change was announced. */
  changed: string[];
  /** Another process with the same store, clock and secrets, perhaps with other limits or a store that fails. */
  process(settings?: Partial<AccountsSettings>, db?: Db): Promise<Subgraph>;
  run(query: string, variables?: object, scope?: Scope, accounts?: Subgraph): Promise<Answer>;
  /** Runs every background task once. */
  runTasks(accounts?: Subgraph): Promise<void>;
  user(name?: string, handle?: string): Promise<Person>;
  code(email: string): Promise<string>;
  close(): Promise<void>;
}

/** A user and the scope in which they call. */
export interface Person {
  userId: string;
  id: string;
  email: string;
  scope: Scope;
}

let numbered = 0;

export function unique(prefix: string): string {
  return `${prefix}-${process.pid.toString(36)}${(++numbered).toString(36)}`;
}

export function scopeOf(profile: Profile, network = '198.51.100.7'): Scope {
  return {
    requestId: 'r',
    network,
    caller: { ...profile, keyId: '0', ...wholeAccount(profile.userId) },
    internal: false,
  };
}

export function anonymous(network = '198.51.100.7'): Scope {
  return { requestId: 'r', network, caller: null, internal: false };
}

export async function openWorld(settings: Partial<AccountsSettings> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'accounts-'));
  const engine = await openEmbeddedMongo({ dataDir });
  const client = await MongoClient.connect(engine.url, {
    monitorCommands: true,
    maxPoolSize: 50,
    writeConcern: { w: 'majority', journal: true },
    retryWrites: false,
    ignoreUndefined: true,
  });
  const db = client.db('accounts');
  const commands = listen(client);
  const clock = new Clock();
  const inbox = new Inbox();
  const events = new LocalEvents();
  const changed: string[] = [];
  events.subscribe(IDENTITY_CHANGED, (userId) => changed.push(userId));
  const log = pino({ level: 'silent' });
  const secrets = new Secrets('a secret for tests that is long enough');

  await ensureIndexes(db, [WORKFLOWS]);
  const open: Subgraph[] = [];
  async function startProcess(changes: Partial<AccountsSettings> = {}, store = db): Promise<Subgraph> {
    const ownerships = ownershipsIn(store);
    const deps = { db: store, secrets, mailer: inbox, events, ownerships, log, now: clock.now };
    const subgraph = await createAccounts({ ...deps, settings: { ...SETTINGS, ...settings, ...changes } });
    open.push(subgraph);
    return subgraph;
  }
  const accounts = await startProcess();

  const world: World = {
    db,
    clock,
    inbox,
    accounts,
    commands,
    changed,
    process: startProcess,
    run: (query, variables, scope, subgraph = accounts) => run(subgraph, query, variables, scope),
    async runTasks(subgraph = accounts) {
      for (const task of subgraph.tasks) await task.run(new AbortController().signal);
    },
    async user(name = unique('user'), handle) {
      const email = name.includes('@') ? name : `${name}@example.com`;
      const { userService, handleService } = accounts.context(systemScope('r')) as AccountsContext;
      let profile = await userService.ensure(email);
      if (handle !== undefined) {
        const caller = { ...profile, keyId: '0', ...wholeAccount(profile.userId) };
        const { handleClaimedAt } = await handleService.claim(caller, handle);
        profile = { ...profile, handle, handleClaimedAt };
      }
      return { userId: profile.userId, id: `usr_${profile.userId}`, email, scope: scopeOf(profile) };
    },
    async code(email) {
      // Mails leave after the answer.
      await new Promise((resolve) => setImmediate(resolve));
      const mail = inbox.mails.findLast(({ to }) => to === email);
      return /^\d{6}$/m.exec(mail?.text ?? '')?.[0] ?? '';
    },
    async close() {
      for (const subgraph of open) await subgraph.close();
      await client.close();
      await engine.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return world;
}

/** The registry's part in a change of hands, in the same store. */
function ownershipsIn(db: Db): OwnershipService {
  return new OwnershipService({
    workflow: { things: db.collection<Owned>(WORKFLOWS.name) },
    template: { things: db.collection<Owned>(TEMPLATES.name), also: () => ({ $inc: { rev: 1 } }) },
  });
}

// What the driver says to itself is no work of ours.
const CHATTER = new Set(['hello', 'ismaster', 'endSessions', 'ping']);

function listen(client: MongoClient): Commands {
  const started: CommandStartedEvent[] = [];
  client.on('commandStarted', (event) => {
    if (!CHATTER.has(event.commandName)) started.push(event);
  });
  return {
    started,
    async during(action) {
      const before = started.length;
      const result = await action();
      return { result, commands: started.slice(before) };
    },
  };
}

async function run(accounts: Subgraph, query: string, variables: object = {}, scope = anonymous()): Promise<Answer> {
  const { data, errors } = await execute({
    schema: accounts.schema,
    document: parse(query),
    variableValues: variables as Record<string, unknown>,
    contextValue: accounts.context(scope),
    rootValue: {},
  });
  const problem = errors?.[0] && problemOf(errors[0]);
  return { data: { ...data } as Record<string, never>, slug: problem?.slug, problem };
}

/** A problem that was raised on purpose. Anything else is a bug and fails the test. */
function problemOf(error: GraphQLError): Problem {
  if (error.originalError instanceof Problem) return error.originalError;
  throw error.originalError ?? error;
}

/** What the operation answered under a name. Tests say what they expect to be there. */
export function field<T>({ data, problem }: Answer, name: string): T {
  if (problem) throw problem;
  return data[name] as T;
}

export function slugs(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { slug } of answers) counts[slug ?? 'ok'] = (counts[slug ?? 'ok'] ?? 0) + 1;
  return counts;
}
