/** The models that jobs can be drawn with, as one caller sees them. */
import {
  decodeCursor,
  encodeCursor,
  type Page,
  type PageRequest,
  pageOf,
  pageSize,
} from '../../../platform/mongo/page.js';
import type { Scope } from '../../../platform/scope.js';
import type { BillingClient } from '../../billing/client.js';
import type { Models } from '../model/models.js';
import { isOffered, type OfferedModel, tierDefault } from './job.choice.js';
import { can, type JobModel, jobModelView, type ModelCapability } from './job-model.type.js';

export interface JobModelServiceDeps {
  models: Models;
  billing: BillingClient;
}

export class JobModelService {
  readonly #deps: JobModelServiceDeps;

  constructor(deps: JobModelServiceDeps) {
    this.#deps = deps;
  }

  async page(
    { caller, requestId }: Scope,
    capability: ModelCapability | null,
    request: PageRequest,
  ): Promise<Page<JobModel>> {
    const { models, billing } = this.#deps;
    const size = pageSize(request);
    const after = request.after ? decodeCursor(request.after) : '';
    const [{ tiers }, unlock] = await Promise.all([
      billing.allowance(caller?.userId ?? null, requestId),
      billing.unlock(requestId),
    ]);
    const rest = models
      .all()
      .filter(isOffered)
      .filter((model) => model.slug > after && can(model, capability) && this.#shown(model, tiers));
    const views = rest
      .slice(0, size + 1)
      .map((model) =>
        jobModelView(model, { isDefault: this.#isDefault(model), runs: models.isAvailable(model), unlock }),
      );
    return pageOf(views, size, ({ id }) => encodeCursor(id));
  }

  /** Everybody sees how far the frontier models are; others are for those whose plan has their tier. */
  #shown(model: OfferedModel, tiers: readonly string[]): boolean {
    if (model.provider === 'local' && !this.#isDefault(model)) return false;
    return model.jobs.frontier !== null || tiers.includes(model.jobs.qualityTier);
  }

  #isDefault(model: OfferedModel): boolean {
    return model.jobs.isTierDefault && tierDefault(model.jobs.qualityTier, this.#deps.models) === model;
  }
}
