/** The teams of a caller, asked of accounts in every request: a membership that has ended gives nothing from then on. */
import { requireCaller, type Scope } from '../../../platform/scope.js';
import type { AccountsClient } from '../../accounts/client.js';

export interface Memberships {
  teamsOf(scope: Scope): Promise<readonly string[]>;
}

/** Who asks while an answer to the same request is on its way gets that one. Nothing is kept beyond it. */
export class CurrentMemberships implements Memberships {
  readonly #accounts: Pick<AccountsClient, 'teamsOf'>;
  readonly #underWay = new WeakMap<Scope, Promise<readonly string[]>>();

  constructor(accounts: Pick<AccountsClient, 'teamsOf'>) {
    this.#accounts = accounts;
  }

  teamsOf(scope: Scope): Promise<readonly string[]> {
    const known = this.#underWay.get(scope);
    if (known) return known;
    const { userId } = requireCaller(scope);
    const asked = this.#accounts.teamsOf(userId, scope.requestId).finally(() => this.#underWay.delete(scope));
    this.#underWay.set(scope, asked);
    return asked;
  }
}
