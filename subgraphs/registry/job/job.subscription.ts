import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import { unused } from '../../../platform/graph/build.js';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import { JobEvent } from './job.event.js';

/** What they resolve to is read by `job.sources.ts`. */
@Resolver()
export class JobSubscriptionResolver {
  @Subscription(() => JobEvent, {
    nullable: true,
    subscribe: unused,
    description:
      'One of your jobs: how it stands at once, then each change in order. Ended by the server after the last one.',
  })
  @NeedsScope('read')
  jobUpdated(@Arg('id', () => ID, { description: 'Id of the job.' }) _id: string, @Root() event: JobEvent): JobEvent {
    return event;
  }

  @Subscription(() => JobEvent, {
    nullable: true,
    subscribe: unused,
    description:
      'All jobs of your tenant, or without an account those of your network: how those under way stand at once, then ' +
      'each change of any of them, new ones too.',
  })
  @NeedsScope('read')
  jobsUpdated(@Root() event: JobEvent): JobEvent {
    return event;
  }
}
