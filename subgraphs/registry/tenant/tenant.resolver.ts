import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RegistryContext } from '../context.js';
import { JobTotals, Tenant } from './tenant.type.js';

@Resolver(() => Tenant)
export class TenantResolver {
  /** A tenant is reached through accounts alone, which shows it to nobody but its owner. */
  @FieldResolver(() => JobTotals, { description: 'Its jobs, by how they stand.' })
  jobTotals(@Root() { id }: Tenant, @Ctx() { jobTotals }: RegistryContext): Promise<JobTotals> {
    return jobTotals.load(id);
  }
}
