/**
 * Steps that fast-check chooses, beside a model: saves, grants, changes of role, leaving, teams, archiving, erasing and
 * changes of hands, one after the other or at once. What is done at once must come out as in some order of it. After
 * every step what people can read, list and run must be what the model says.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { newId, WorkflowId } from '../../platform/ids.js';
import type { RegistryContext } from '../../subgraphs/registry/context.js';
import { VersionedStatus } from '../../subgraphs/registry/versioned/versioned.model.js';
import type { WorkflowDocument } from '../../subgraphs/registry/workflow/workflow.model.js';
import { type Person, unique } from '../accounts/support/world.js';
import { type Grantee, Model, type Op, type Pin } from './support/model.js';
import { bare, openWorkflowWorld, type Team, type WorkflowWorld } from './support/world.js';

const LONG = process.env['LONG'] !== undefined;
const RUNS = LONG ? 60 : 12;
const STEPS = 50;
const SEED = Number(process.env['SEED'] ?? 1);

const USERS = 4;
const OWNERS = [0, 0, 1];
const LEADS = [3, 2];
const VERIFIERS = [
  { owner: 0, name: 'clear' },
  { owner: 1, name: 'clear' },
  { owner: 2, name: 'kind' },
  { owner: 0, name: 'short' },
];
/** Stands for whoever owns the workflow at the time. */
const ITS_OWNER = -1;

let world: WorkflowWorld;
let steps = 0;
let refused = 0;
beforeAll(async () => {
  world = await openWorkflowWorld();
});
afterAll(async () => {
  console.log(`grants: ${steps} steps, of which ${refused} were refused, came out as in the model`);
  await world?.close();
});

type Step = { kind: 'one'; op: Op; probe: number } | { kind: 'at once'; ops: Op[]; probe: number };

const user = fc.nat(USERS - 1);
const workflow = fc.nat(OWNERS.length - 1);
const team = fc.nat(LEADS.length - 1);
const by = fc.oneof({ weight: 3, arbitrary: fc.constant(ITS_OWNER) }, { weight: 2, arbitrary: user });
const grantee: fc.Arbitrary<Grantee> = fc.oneof(
  { weight: 3, arbitrary: user.map((index): Grantee => ({ kind: 'user', index })) },
  { weight: 2, arbitrary: team.map((index): Grantee => ({ kind: 'team', index })) },
);
const pin: fc.Arbitrary<Pin> = fc.record<Pin>({
  verifier: fc.nat(VERIFIERS.length - 1),
  version: fc.constantFrom(null, null, 1),
});
const saving: fc.Arbitrary<Op> = fc.record<Extract<Op, { kind: 'save' }>>({
  kind: fc.constant('save' as const),
  by,
  workflow,
  pins: fc.option(fc.array(pin, { maxLength: 3 }), { freq: 3 }),
});
const granting: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant('grant' as const),
  by,
  workflow,
  to: grantee,
  role: fc.constantFrom('view' as const, 'edit' as const, 'admin' as const),
  history: fc.boolean(),
});
const revoking: fc.Arbitrary<Op> = fc.record({ kind: fc.constant('revoke' as const), by, workflow, from: grantee });
const leaving: fc.Arbitrary<Op> = fc.record({ kind: fc.constant('leave' as const), by: user, workflow });
const transferring: fc.Arbitrary<Op> = fc.record({ kind: fc.constant('transfer' as const), workflow, to: user });
const moving: fc.Arbitrary<Op> = fc.record({ kind: fc.constantFrom('join' as const, 'quit' as const), team, user });
const shelving: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom('archive' as const, 'unarchive' as const),
  by,
  workflow,
});
const ending: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ kind: fc.constant('erase' as const), by, workflow }),
  fc.record({ kind: fc.constant('delete team' as const), team }),
  fc.record({ kind: fc.constant('revoke verifier' as const), verifier: fc.nat(VERIFIERS.length - 1) }),
);
const version: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant('erase version' as const),
  by,
  workflow,
  version: fc.integer({ min: 1, max: 6 }),
});
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: granting },
  { weight: 6, arbitrary: saving },
  { weight: 4, arbitrary: moving },
  { weight: 3, arbitrary: revoking },
  { weight: 2, arbitrary: leaving },
  { weight: 2, arbitrary: transferring },
  { weight: 2, arbitrary: shelving },
  { weight: 2, arbitrary: version },
  { weight: 1, arbitrary: ending },
);
const racing = fc.oneof(
  { weight: 4, arbitrary: granting },
  { weight: 3, arbitrary: saving },
  { weight: 2, arbitrary: revoking },
  { weight: 2, arbitrary: leaving },
  { weight: 1, arbitrary: transferring },
);
const probe = user;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('one' as const), op, probe }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ workflow, ops: fc.array(racing, { minLength: 2, maxLength: 3 }), probe })
      .map(({ workflow: index, ops, ...rest }) => {
        return { kind: 'at once' as const, ops: ops.map((one) => ({ ...one, workflow: index }) as Op), ...rest };
      }),
  },
);

/** The people and things of one run of steps. */
interface Play {
  model: Model;
  users: Person[];
  teams: Team[];
  workflows: string[];
  verifiers: string[];
}

async function opened(): Promise<Play> {
  const users = await Promise.all(Array.from({ length: USERS }, () => world.accounts.user(undefined, unique('m'))));
  const of = (index: number): Person => users[index] as Person;
  const teams: Team[] = [];
  for (const lead of LEADS) teams.push(await world.team(of(lead)));
  const workflows: string[] = [];
  for (const owner of OWNERS) workflows.push((await world.save(of(owner), { name: unique('workflow') })).data.id);
  const verifiers: string[] = [];
  for (const { owner, name } of VERIFIERS) verifiers.push(await world.verifier(of(owner), name));
  return {
    model: new Model({ owners: OWNERS, leads: LEADS, verifiers: VERIFIERS }),
    users,
    teams,
    workflows,
    verifiers,
  };
}

/** A request of its own, as somebody of the play. */
function asking({ users }: Play, index: number): RegistryContext {
  const person = users[index];
  if (!person) throw new Error('nobody');
  return world.registry.context({ ...person.scope }) as RegistryContext;
}

const slugOf = (error: unknown): string => {
  if (error instanceof Problem) return error.slug;
  throw error;
};

function at(list: readonly string[], index: number): string {
  return list[index] ?? '';
}

async function perform(play: Play, op: Op, token: string): Promise<string | number> {
  const { teams, users, workflows, verifiers } = play;
  const named = ({ kind, index }: Grantee) => (kind === 'user' ? users[index]?.id : teams[index]?.id) ?? '';
  switch (op.kind) {
    case 'join':
    case 'quit': {
      const [there, who] = [teams[op.team], users[op.user]];
      if (!there || !who) throw new Error('nobody');
      return world[op.kind](there, who).then(
        () => 'ok',
        () => 'refused',
      );
    }
    case 'delete team': {
      const there = teams[op.team];
      if (!there) throw new Error('no such team');
      return world.deleteTeam(there).then(
        () => 'ok',
        () => 'refused',
      );
    }
    case 'revoke verifier': {
      const owner = VERIFIERS[op.verifier]?.owner ?? 0;
      const { verifiers: service, scope, verifierLoader } = asking(play, owner);
      return service.revoke(scope, at(verifiers, op.verifier), verifierLoader).then(() => 'ok', slugOf);
    }
    case 'transfer':
      return transfer(play, op);
  }
  const { scope, workflows: service, grants } = asking(play, op.by);
  const id = at(workflows, op.workflow);
  const ok = () => 'ok';
  switch (op.kind) {
    case 'save': {
      const pins = op.pins?.map(({ verifier, version: pinned }, i) => {
        return { name: `v${i}`, verifier_id: at(verifiers, verifier), version: pinned };
      });
      const input = { workflow_id: id, name: 'saved', body: 'x', expected_version_token: token, verifiers: pins };
      return service.save(scope, input).then(ok, slugOf);
    }
    case 'grant': {
      const given = { grantee_email_or_at_team_handle: named(op.to), role: op.role, include_history: op.history };
      return grants.give(scope, id, given).then(ok, slugOf);
    }
    case 'revoke':
      return grants.revoke(scope, id, { grantee_email_or_at_team_handle: named(op.from) }).then(ok, slugOf);
    case 'leave':
      return grants.leave(scope, id).then(({ removed }) => removed, slugOf);
    case 'archive':
    case 'unarchive': {
      const status = op.kind === 'archive' ? 'archived' : 'live';
      return service.setStatus(scope, id, status as never).then(ok, slugOf);
    }
    case 'erase':
      return service.erase(scope, id).then(ok, slugOf);
    case 'erase version':
      return service.eraseVersion(scope, id, op.version).then(ok, slugOf);
  }
}

/** As accounts has it done when an invitation is accepted. */
async function transfer(play: Play, { workflow: index, to }: Extract<Op, { kind: 'transfer' }>): Promise<string> {
  const { ownerships } = asking(play, to);
  const invitationId = newId();
  const thing = { kind: 'workflow' as const, id: WorkflowId.parse(at(play.workflows, index)) ?? '' };
  for (;;) {
    const standing = await ownerships.standing(thing, invitationId);
    if (!standing) return 'not_found';
    const { ownerId: from, turnover } = standing;
    const taker = play.users[to]?.userId ?? '';
    if (await ownerships.handOver({ thing, invitationId, from, to: taker, turnover })) return 'ok';
  }
}

const tokenOf = async (play: Play, index: number): Promise<string> => {
  const owner = play.model.workflows[index]?.owner ?? 0;
  const { scope, workflows } = asking(play, owner);
  const found = await workflows.find(scope, at(play.workflows, index)).catch(() => null);
  return found?.workflow.versionToken ?? 'none';
};

function resolved(model: Model, op: Op): Op {
  if (!('by' in op) || op.by !== ITS_OWNER) return op;
  return { ...op, by: model.workflows[op.workflow]?.owner ?? 0 };
}

async function take(play: Play, step: Step): Promise<void> {
  const { model } = play;
  if (step.kind === 'one') {
    const op = resolved(model, step.op);
    const token = 'workflow' in op ? await tokenOf(play, op.workflow) : '';
    const answer = await perform(play, op, token);
    count([answer]);
    expect(answer, JSON.stringify(op)).toEqual(model.apply(op, model.clone()));
    return check(play, step.probe, 'workflow' in op ? op.workflow : 0);
  }
  const ops = step.ops.map((op) => resolved(model, op));
  const index = 'workflow' in (ops[0] as Op) ? (ops[0] as { workflow: number }).workflow : 0;
  const token = await tokenOf(play, index);
  const answers = await Promise.all(ops.map((op) => perform(play, op, token)));
  count(answers);
  const end = await seen(play, index);
  const explained = permutations(ops.map((_, i) => i)).flatMap((order) => {
    const later = model.clone();
    const alike = order.every((i) => later.apply(ops[i] as Op, model) === answers[i]);
    return alike && JSON.stringify(expectedOf(play, later, index)) === JSON.stringify(end) ? [later] : [];
  });
  expect(explained.length, `no order explains ${JSON.stringify({ ops, answers, end })}`).toBeGreaterThan(0);
  play.model = explained[0] as Model;
  await check(play, step.probe, index);
}

function count(answers: readonly (string | number)[]): void {
  steps += answers.length;
  refused += answers.filter((answer) => typeof answer === 'string' && answer !== 'ok').length;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

/** What each user can see of a workflow, and what it holds. */
async function seen(play: Play, index: number): Promise<object[]> {
  const look = async (who: number) => {
    const { scope, workflows } = asking(play, who);
    const found = await workflows.find(scope, at(play.workflows, index)).catch(slugOf);
    if (typeof found === 'string') return { role: null, versions: [] };
    const versions = await workflows.versions(found.workflow, found.access, 100, null);
    return { role: found.access.role, versions: versions.map(({ version: number }) => number) };
  };
  const [held, ...sights] = await Promise.all([holds(play, index), ...play.users.map((_, who) => look(who))]);
  return [held, ...sights];
}

async function holds({ users, teams, workflows, verifiers }: Play, index: number): Promise<object> {
  const _id = WorkflowId.parse(at(workflows, index)) ?? '';
  const found = await stored().findOne({ _id, ownerId: { $exists: true } });
  const names = new Map([
    ...users.map(({ userId }, i) => [userId, `user ${i}`] as const),
    ...teams.map(({ id }, i) => [id, `team ${i}`] as const),
  ]);
  const grants = found?.grants.map(({ granteeId, role, floor }) => `${names.get(granteeId)} ${role} ${floor}`);
  const pins = found?.current.verifiers.map(({ verifierId, version: pinned, sharedBy }) => {
    return `${verifiers.findIndex((id) => bare(id) === verifierId)} ${pinned} ${sharedBy !== null}`;
  });
  return { grants: grants?.sort() ?? [], pins: pins ?? [] };
}

const stored = () => world.accounts.db.collection<WorkflowDocument>('registry_workflows');

function expectedOf({ users }: Play, model: Model, index: number): object[] {
  const held = model.workflows[index];
  const grants = [...(held?.grants ?? [])].map(([name, { role, floor }]) => `${name} ${role} ${floor}`).sort();
  const pins = held?.pins.map(({ verifier, version: pinned, shared }) => `${verifier} ${pinned} ${shared}`);
  const sights = users.map((_, who) => ({
    role: model.access(who, index)?.role ?? null,
    versions: model.visible(who, index),
  }));
  return [{ grants, pins }, ...sights];
}

async function check(play: Play, probe: number, index: number): Promise<void> {
  const { model } = play;
  expect(await seen(play, index)).toEqual(expectedOf(play, model, index));
  const [rights, names, lists] = await Promise.all([
    Promise.all(play.verifiers.map((id) => rightOf(play, probe, id))),
    Promise.all(['clear', 'kind'].map((name) => meant(play, probe, name))),
    listed(play, probe),
  ]);
  expect(rights).toEqual(VERIFIERS.map((_, verifier) => model.right(probe, verifier)));
  expect(names).toEqual(['clear', 'kind'].map((name) => model.named(probe, name, 'exec')));
  expect(lists).toEqual(expectedLists(model, probe));
}

async function rightOf(play: Play, who: number, id: string) {
  const { scope, verifierAccess, verifierLoader } = asking(play, who);
  const verifier = await verifierLoader.load(bare(id));
  const right = await verifierAccess.rightOf(scope, bare(id), verifier);
  return verifier?.status === VersionedStatus.ACTIVE ? right : null;
}

async function meant(play: Play, who: number, name: string) {
  const { scope, verifierAccess, verifierLoader } = asking(play, who);
  const found = await verifierAccess.pinned(scope, name, null, 'exec', verifierLoader).catch(slugOf);
  if (typeof found === 'string') return found === 'conflict' ? 'conflict' : null;
  return play.verifiers.findIndex((id) => bare(id) === found.verifier._id);
}

async function listed(play: Play, who: number) {
  const list = async (whose: 'mine' | 'shared' | 'all', includeArchived: boolean) => {
    const { scope, workflows } = asking(play, who);
    const { items } = await workflows.list(scope, { whose, includeArchived }, {});
    return items.map(({ workflow: { _id } }) => play.workflows.findIndex((id) => WorkflowId.parse(id) === _id)).sort();
  };
  return {
    mine: await list('mine', true),
    shared: await list('shared', true),
    all: await list('all', false),
  };
}

function expectedLists(model: Model, who: number) {
  const those = (keep: (role: string, archived: boolean) => boolean) =>
    model.workflows.flatMap(({ archived }, index) => {
      const access = model.access(who, index);
      return access && keep(access.role, archived) ? [index] : [];
    });
  return {
    mine: those((role) => role === 'owner'),
    shared: those((role) => role !== 'owner'),
    all: those((_, archived) => !archived),
  };
}

it('comes out as in the model, whatever is done and in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS, size: 'max' }), async (all) => {
      const play = await opened();
      for (const one of all) await take(play, one);
      for (const index of OWNERS.keys()) for (const who of play.users.keys()) await check(play, who, index);
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: !LONG },
  );
}, 1_800_000);
