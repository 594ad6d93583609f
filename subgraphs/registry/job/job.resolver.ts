import { Arg, Args, Ctx, ID, Query, Resolver } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import type { RegistryContext } from '../context.js';
import { Job, JobConnection } from './job.type.js';

@Resolver(() => Job)
export class JobResolver {
  @Query(() => Job, { nullable: true, description: 'One of your jobs; null when there is none such.' })
  job(
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<Job | null> {
    return referencedJob(id, context);
  }

  @Query(() => JobConnection, {
    nullable: true,
    description: 'Jobs of your tenant, or without an account those of your network, newest first.',
  })
  async jobs(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, jobStore, jobOwner, jobView }: RegistryContext,
  ): Promise<Connection<Job>> {
    return toConnection(await jobStore.page(jobOwner(scope), page), jobView);
  }
}

/** Jobs of others answer as those that do not exist. */
export async function referencedJob(id: string, context: RegistryContext): Promise<Job | null> {
  const { scope, jobLoader, jobOwner, jobView } = context;
  const uuid = PlainId.parse(id);
  const job = uuid === null ? null : await jobLoader.load(uuid);
  return job && job.owner === jobOwner(scope) ? jobView(job) : null;
}
