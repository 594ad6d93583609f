import { checked } from '../../../platform/rules.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import type { VerifierAccess, VerifierLoader, Verifiers } from './verifier.access.js';
import type { VerifierDocument } from './verifier.model.js';
import { configOf, deployRules } from './verifier.rules.js';

export interface VerifierServiceDeps {
  verifiers: Verifiers;
  access: VerifierAccess;
}

export class VerifierService {
  readonly #deps: VerifierServiceDeps;

  constructor(deps: VerifierServiceDeps) {
    this.#deps = deps;
  }

  async deploy(scope: Scope, given: unknown): Promise<VerifierDocument> {
    const request = checked(deployRules, given);
    const config = configOf(request);
    const { userId } = requireCaller(scope);
    return this.#deps.verifiers.deploy(userId, {
      name: request.name,
      description: request.description ?? '',
      config,
      expectedVersionToken: request.expected_version_token ?? null,
    });
  }

  async revoke(scope: Scope, reference: string, loader: VerifierLoader): Promise<string> {
    const caller = requireCaller(scope);
    const { _id } = await this.#deps.access.owned(caller, reference, loader);
    await this.#deps.verifiers.revoke(caller.userId, _id);
    loader.clear(_id);
    return _id;
  }

  async erase(scope: Scope, reference: string, loader: VerifierLoader): Promise<string> {
    const caller = requireCaller(scope);
    const { _id } = await this.#deps.access.owned(caller, reference, loader);
    await this.#deps.verifiers.erase(caller.userId, _id);
    loader.clear(_id);
    return _id;
  }
}
