/** Users and teams alike: those to whom other parts of the platform give something. */
import type { Collection } from 'mongodb';
import { PlainId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import type { HandleOwnerType } from '../handle/handle.model.js';
import { readHandle, readUserIdentifier } from '../rules.js';
import type { TeamDoc } from '../team/team.model.js';
import type { UserDoc } from '../user/user.model.js';
import type { UserService } from '../user/user.service.js';

export interface PrincipalServiceDeps {
  users: Collection<UserDoc>;
  teams: Collection<TeamDoc>;
  userService: UserService;
}

export interface Principal {
  type: HandleOwnerType;
  id: string;
  handle: string | null;
}

type Named = Pick<UserDoc | TeamDoc, '_id' | 'handle'>;

const NAME = { handle: 1 } as const;

export class PrincipalService {
  readonly #deps: PrincipalServiceDeps;

  constructor(deps: PrincipalServiceDeps) {
    this.#deps = deps;
  }

  /** Whom a caller means by an id, an e-mail address or a handle. It counts as a look-up of that caller's. */
  async named(askedBy: string, identifier: string): Promise<Principal | null> {
    await this.#deps.userService.countLookup(askedBy);
    return (await this.#user(identifier)) ?? (await this.#team(identifier));
  }

  async #user(identifier: string): Promise<Principal | null> {
    const filter = readUserIdentifier(identifier);
    const found = filter && (await this.#deps.users.findOne<Named>(filter, { projection: NAME }));
    return found && { type: 'USER', id: found._id, handle: found.handle };
  }

  async #team(identifier: string): Promise<Principal | null> {
    const _id = PlainId.parse(identifier.trim());
    const handle = readHandle(identifier);
    const filter = _id !== null ? { _id, ownerId: { $exists: true } } : handle !== null ? { handle } : null;
    const found = filter && (await this.#deps.teams.findOne<Named>(filter, { projection: NAME }));
    return found && { type: 'TEAM', id: found._id, handle: found.handle };
  }

  /** Those of these ids that are there, in no order. */
  async byIds(ids: readonly string[]): Promise<Principal[]> {
    const filter = { _id: anyOf(ids) };
    const options = { projection: NAME, limit: ids.length };
    const [users, teams] = await Promise.all([
      findBatch<UserDoc, Named>(this.#deps.users, filter, options),
      findBatch<TeamDoc, Named>(this.#deps.teams, filter, options),
    ]);
    return [...users.map(as('USER')), ...teams.map(as('TEAM'))];
  }

  async teamsOf(userId: string): Promise<string[]> {
    const found = await this.#deps.teams
      .find({ 'members.userId': userId })
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    return found.map(({ _id }) => _id);
  }
}

function as(type: HandleOwnerType) {
  return ({ _id, handle }: Named): Principal => ({ type, id: _id, handle });
}
