import { Field, Int, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';

@ObjectType({ description: 'How long one kind of data is kept.' })
@OpenToAllKeys()
export class RetentionRule {
  @Field(() => String, { description: 'What is kept.' })
  data!: string;

  @Field(() => String, { description: 'Where it is kept.' })
  storage!: string;

  @Field(() => Int, { description: 'For how many seconds.' })
  ttlSeconds!: number;

  @Field(() => String, { description: 'The same in words.' })
  ttl!: string;

  @Field(() => String, { description: 'How to have it deleted before, at once.' })
  earlyDelete!: string;
}

@ObjectType({ description: 'How long the data of jobs is kept on this installation.' })
@OpenToAllKeys()
export class RetentionPolicy {
  @Field(() => [RetentionRule], { description: 'A rule for each kind of data.' })
  rules!: RetentionRule[];

  @Field(() => Boolean, { description: 'Whether what was deleted can be brought back: false.' })
  recoverable!: boolean;
}

/** What the sweeper itself goes by. */
export interface Retention {
  keepMs: number;
  keepInputsMs: number;
}

const DELETE = 'DELETE /v2/jobs/{id}';
const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;

export function retentionPolicy({ keepMs, keepInputsMs }: Retention): RetentionPolicy {
  return {
    rules: [
      rule('generated_images', 'object store', keepMs, 'from creation'),
      rule('transient_inputs', 'object store', keepInputsMs, 'after job completion'),
      rule('job_history_and_prompts', 'database', keepMs, 'from creation'),
    ],
    recoverable: false,
  };
}

function rule(data: string, storage: string, ms: number, from: string): RetentionRule {
  const hours = ms / HOUR_MS;
  const length = hours > 24 && hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
  return { data, storage, ttlSeconds: ms / SECOND_MS, ttl: `${length} ${from}`, earlyDelete: DELETE };
}
