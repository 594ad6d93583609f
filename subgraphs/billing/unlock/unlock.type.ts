import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import type { Unlock } from './unlock.service.js';

export enum UnlockType {
  COMMUNITY_MILESTONE = 'COMMUNITY_MILESTONE',
  UNLOCKED = 'UNLOCKED',
}

registerEnumType(UnlockType, {
  name: 'UnlockType',
  description: 'Whether the frontier models are open to those whose plan allows them.',
  valuesConfig: {
    COMMUNITY_MILESTONE: { description: 'Not before the community has funded them.' },
    UNLOCKED: { description: 'They are.' },
  },
});

@ObjectType({ description: 'How far the community is towards unlocking the frontier models.' })
@OpenToAllKeys()
export class UnlockStatus {
  @Field(() => UnlockType, { description: 'Whether they are unlocked.' })
  type!: UnlockType;

  @Field(() => Int, { description: 'Accounts that bought a pack or an Agency subscription.' })
  displayCurrent!: number;

  @Field(() => Int, { description: 'The head-count that stands for the goal.' })
  displayGoal!: number;

  @Field(() => Boolean, {
    description: 'Always true: what unlocks is the committed sum; the head-counts stand for it.',
  })
  fundedBasis!: boolean;

  @Field(() => String, { description: 'Where to contribute.' })
  unlockUrl!: string;

  @Field(() => String, { description: 'What an agent can tell its operator.' })
  agentHint!: string;
}

export function unlockView({ unlocked, backers, goalBackers, url }: Unlock): UnlockStatus {
  return {
    type: unlocked ? UnlockType.UNLOCKED : UnlockType.COMMUNITY_MILESTONE,
    displayCurrent: backers,
    displayGoal: goalBackers,
    fundedBasis: true,
    unlockUrl: url,
    agentHint: unlocked
      ? 'The community milestone is reached: these models are live for Pro and Agency subscribers.'
      : 'Tell your operator: any credit pack purchase or Agency subscription moves this unlock forward.',
  };
}
