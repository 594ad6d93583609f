/** What grants and cascades come to, as simply as it can be said. Users, teams, verifiers and workflows are numbers. */

export type Role = 'view' | 'edit' | 'admin';
const RANK = { view: 0, edit: 1, admin: 2, owner: 3 } as const;

export interface Grantee {
  kind: 'user' | 'team';
  index: number;
}

export interface ModelGrant {
  role: Role;
  floor: number;
}

export interface Pin {
  verifier: number;
  version: number | null;
}

interface ModelPin extends Pin {
  /** Whether the verifier's owner put it there. */
  shared: boolean;
}

interface ModelWorkflow {
  owner: number;
  gone: boolean;
  archived: boolean;
  current: number;
  versions: Set<number>;
  pins: ModelPin[];
  grants: Map<string, ModelGrant>;
}

interface ModelTeam {
  lead: number;
  members: Set<number>;
  gone: boolean;
}

interface ModelVerifier {
  owner: number;
  name: string;
  revoked: boolean;
}

export type Op =
  | { kind: 'save'; by: number; workflow: number; pins: Pin[] | null }
  | { kind: 'grant'; by: number; workflow: number; to: Grantee; role: Role; history: boolean }
  | { kind: 'revoke'; by: number; workflow: number; from: Grantee }
  | { kind: 'leave'; by: number; workflow: number }
  | { kind: 'archive' | 'unarchive' | 'erase'; by: number; workflow: number }
  | { kind: 'erase version'; by: number; workflow: number; version: number }
  | { kind: 'transfer'; workflow: number; to: number }
  | { kind: 'join' | 'quit'; team: number; user: number }
  | { kind: 'delete team'; team: number }
  | { kind: 'revoke verifier'; verifier: number };

export interface ModelAccess {
  role: keyof typeof RANK;
  floor: number;
}

const keyOf = ({ kind, index }: Grantee) => `${kind} ${index}`;

export class Model {
  readonly workflows: ModelWorkflow[];
  readonly teams: ModelTeam[];
  readonly verifiers: ModelVerifier[];

  constructor(given: { owners: number[]; leads: number[]; verifiers: { owner: number; name: string }[] }) {
    this.workflows = given.owners.map((owner) => ({
      owner,
      gone: false,
      archived: false,
      current: 1,
      versions: new Set([1]),
      pins: [],
      grants: new Map(),
    }));
    this.teams = given.leads.map((lead) => ({ lead, members: new Set([lead]), gone: false }));
    this.verifiers = given.verifiers.map((verifier) => ({ ...verifier, revoked: false }));
  }

  clone(): Model {
    const copy = new Model({ owners: [], leads: [], verifiers: [] });
    copy.workflows.push(...structuredClone(this.workflows));
    copy.teams.push(...structuredClone(this.teams));
    copy.verifiers.push(...structuredClone(this.verifiers));
    return copy;
  }

  #workflow(index: number): ModelWorkflow {
    const workflow = this.workflows[index];
    if (!workflow) throw new Error('no such workflow');
    return workflow;
  }

  access(user: number, index: number): ModelAccess | null {
    const { gone, owner, grants } = this.#workflow(index);
    if (gone) return null;
    if (owner === user) return { role: 'owner', floor: 1 };
    const teams = this.teams.flatMap(({ members }, team) => (members.has(user) ? [`team ${team}`] : []));
    const held = [`user ${user}`, ...teams].flatMap((key) => grants.get(key) ?? []);
    if (held.length === 0) return null;
    const [best] = held.map(({ role }) => role).sort((a, b) => RANK[b] - RANK[a]);
    return { role: best ?? 'view', floor: Math.min(...held.map(({ floor }) => floor)) };
  }

  visible(user: number, index: number): number[] {
    const access = this.access(user, index);
    const { versions, current } = this.#workflow(index);
    return access ? [...versions].filter((n) => n >= access.floor || n === current).sort((a, b) => b - a) : [];
  }

  right(user: number, index: number): 'own' | 'tune' | 'exec' | null {
    const verifier = this.verifiers[index];
    if (!verifier || verifier.revoked) return null;
    if (verifier.owner === user) return 'own';
    const roles = this.workflows.flatMap(({ pins }, workflow) => {
      const shared = pins.some((pin) => pin.verifier === index && pin.shared);
      return shared ? (this.access(user, workflow)?.role ?? []) : [];
    });
    if (roles.length === 0) return null;
    return roles.some((role) => RANK[role] >= RANK.edit) ? 'tune' : 'exec';
  }

  /** Which verifier a name means for who wants to do that with it. */
  named(user: number, name: string, wanted: 'tune' | 'exec'): number | 'conflict' | null {
    const own = this.verifiers.findIndex((one) => one.owner === user && one.name === name && !one.revoked);
    if (own >= 0) return own;
    const reached = this.verifiers.flatMap((verifier, index) => {
      const right = this.right(user, index);
      return verifier.name === name && right && (wanted === 'exec' || right !== 'exec') ? [index] : [];
    });
    return reached.length > 1 ? 'conflict' : (reached[0] ?? null);
  }

  /** `ok`, or the slug of the refusal. A save is made with the token of the version that was current at `seen`. */
  apply(op: Op, seen: Model): string | number {
    switch (op.kind) {
      case 'join':
        return this.#join(op.team, op.user);
      case 'quit':
        return this.#quit(op.team, op.user);
      case 'delete team':
        return this.#deleteTeam(op.team);
      case 'revoke verifier':
        return this.#revokeVerifier(op.verifier);
      case 'transfer':
        return this.#transfer(op.workflow, op.to);
      default:
        return this.#onWorkflow(op, seen);
    }
  }

  #onWorkflow(op: Extract<Op, { by: number }>, seen: Model): string | number {
    const access = this.access(op.by, op.workflow);
    if (!access) return 'not_found';
    const workflow = this.#workflow(op.workflow);
    switch (op.kind) {
      case 'leave':
        if (access.role === 'owner') return 'conflict';
        return workflow.grants.delete(`user ${op.by}`) ? 1 : 0;
      case 'save':
        if (RANK[access.role] < RANK.edit) return 'forbidden';
        return this.#save(workflow, op, seen.#workflow(op.workflow).current);
      case 'grant':
        return this.#grant(workflow, access, op);
      case 'revoke':
        return this.#revoke(workflow, access, op.from);
      default:
        return access.role === 'owner' ? this.#asOwner(workflow, op) : 'forbidden';
    }
  }

  #save(workflow: ModelWorkflow, { by, pins }: Extract<Op, { kind: 'save' }>, token: number): string {
    if (workflow.archived || workflow.current !== token) return 'conflict';
    const before = workflow.pins;
    const read = pins?.map(({ verifier, version }): ModelPin | null => {
      const old = before.filter((pin) => pin.verifier === verifier);
      const right = this.right(by, verifier);
      if (!right && !old.some((pin) => pin.version === version)) return null;
      return { verifier, version, shared: right === 'own' || old.some(({ shared }) => shared) };
    });
    if (read?.includes(null)) return 'validation_error';
    workflow.pins = (read as ModelPin[] | undefined) ?? before;
    workflow.current += 1;
    workflow.versions.add(workflow.current);
    return 'ok';
  }

  #grant(workflow: ModelWorkflow, access: ModelAccess, { to, role, history }: Extract<Op, { kind: 'grant' }>): string {
    if (RANK[access.role] < RANK.admin) return 'forbidden';
    if (to.kind === 'team' && this.teams[to.index]?.gone) return 'user_not_found';
    if (to.kind === 'user' && to.index === workflow.owner) return 'conflict';
    const before = workflow.grants.get(keyOf(to));
    const given = history ? access.floor : workflow.current;
    const floor = before ? (history ? Math.min(before.floor, given) : before.floor) : given;
    workflow.grants.set(keyOf(to), { role, floor });
    return 'ok';
  }

  #revoke(workflow: ModelWorkflow, access: ModelAccess, from: Grantee): string {
    if (RANK[access.role] < RANK.admin) return 'forbidden';
    if (workflow.grants.delete(keyOf(from))) return 'ok';
    return from.kind === 'team' && this.teams[from.index]?.gone ? 'user_not_found' : 'not_found';
  }

  #asOwner(
    workflow: ModelWorkflow,
    op: Extract<Op, { kind: 'archive' | 'unarchive' | 'erase' | 'erase version' }>,
  ): string {
    if (op.kind === 'erase version') {
      if (op.version === workflow.current) return 'conflict';
      return workflow.versions.delete(op.version) ? 'ok' : 'not_found';
    }
    if (op.kind === 'erase') {
      workflow.gone = true;
      workflow.pins = [];
      workflow.grants.clear();
    } else workflow.archived = op.kind === 'archive';
    return 'ok';
  }

  #transfer(index: number, to: number): string {
    const workflow = this.#workflow(index);
    if (workflow.gone) return 'not_found';
    workflow.owner = to;
    workflow.grants.delete(`user ${to}`);
    return 'ok';
  }

  #join(team: number, user: number): string {
    const found = this.teams[team];
    if (!found || found.gone || found.members.has(user)) return 'refused';
    found.members.add(user);
    return 'ok';
  }

  #quit(team: number, user: number): string {
    const found = this.teams[team];
    return found && user !== found.lead && found.members.delete(user) ? 'ok' : 'refused';
  }

  #deleteTeam(team: number): string {
    const found = this.teams[team];
    if (!found || found.gone) return 'refused';
    found.gone = true;
    found.members.clear();
    return 'ok';
  }

  #revokeVerifier(index: number): string {
    const verifier = this.verifiers[index];
    if (!verifier) throw new Error('no such verifier');
    verifier.revoked = true;
    return 'ok';
  }
}
