import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import type { UnlockProgress } from '../../billing/client.js';
import type { Capabilities } from '../model/entry.js';
import { defaultSize } from '../model/sizes.js';
import type { OfferedModel } from './job.choice.js';
import { OutputFormat } from './job.model.js';
import { QualityTier } from './job.type.js';

export enum ModelCapability {
  TXT2IMG = 'txt2img',
  IMG2IMG = 'img2img',
  INPAINT = 'inpaint',
  NEGATIVE_PROMPT = 'negative_prompt',
  SEED_CONTROL = 'seed_control',
}
registerEnumType(ModelCapability, { name: 'ModelCapability', description: 'Something that a model can do.' });

export enum ModelLevel {
  LOW = 'low',
  MEDIUM = 'medium',
  HIGH = 'high',
}
registerEnumType(ModelLevel, { name: 'ModelLevel', description: 'How much a picture costs, roughly.' });

export enum ModelLatency {
  FAST = 'fast',
  MEDIUM = 'medium',
  SLOW = 'slow',
}
registerEnumType(ModelLatency, { name: 'ModelLatency', description: 'How long a picture takes, roughly.' });

export enum ModelUnlockType {
  COMMUNITY_MILESTONE = 'community_milestone',
  UNLOCKED = 'unlocked',
}
registerEnumType(ModelUnlockType, {
  name: 'ModelUnlockType',
  description: 'Whether a frontier model waits for the community to reach its goal.',
});

@ObjectType({ description: 'What a model can do.' })
@OpenToAllKeys()
export class ModelCapabilities {
  @Field(() => Boolean, { description: 'Draws from a prompt alone.' })
  txt2img!: boolean;

  @Field(() => Boolean, { description: 'Draws from a picture as well.' })
  img2img!: boolean;

  @Field(() => Boolean, { description: 'Draws anew what a mask marks.' })
  inpaint!: boolean;

  @Field(() => Boolean, { description: 'Keeps out of the picture what it is told.' })
  negativePrompt!: boolean;

  @Field(() => Boolean, { description: 'Draws the same for the same seed.' })
  seedControl!: boolean;
}

@ObjectType({ description: 'How far a frontier model is from being open to subscribers.' })
@OpenToAllKeys()
export class ModelUnlockStatus {
  @Field(() => ModelUnlockType, { description: 'UNLOCKED when any subscriber may use it.' })
  type!: ModelUnlockType;

  @Field(() => Int, { nullable: true, description: 'How many have backed it; null where nothing is waited for.' })
  displayCurrent!: number | null;

  @Field(() => Int, { nullable: true, description: 'How many backers stand for the goal.' })
  displayGoal!: number | null;

  @Field(() => Boolean, { nullable: true, description: 'True: committed revenue decides, not the head-count.' })
  fundedBasis!: boolean | null;

  @Field(() => String, { nullable: true, description: 'Where to contribute.' })
  unlockUrl!: string | null;

  @Field(() => String, { nullable: true, description: 'What an agent may tell its operator.' })
  agentHint!: string | null;
}

@ObjectType({ description: 'A model that jobs can be drawn with.' })
@OpenToAllKeys()
export class JobModel {
  @Field(() => ID, { description: 'Its name.' })
  id!: string;

  @Field(() => QualityTier, { description: 'The tier that it belongs to.' })
  qualityTier!: QualityTier;

  @Field(() => Boolean, { description: 'Whether its tier draws with it when no model is named.' })
  isDefault!: boolean;

  @Field(() => String, { description: 'Who runs it.' })
  provider!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The field of a request that names it; null: its tier alone does.',
  })
  parameter!: string | null;

  @Field(() => ModelCapabilities, { description: 'What it can do.' })
  capabilities!: ModelCapabilities;

  @Field(() => ModelLevel, { description: 'How much a picture costs, roughly.' })
  costTier!: ModelLevel;

  @Field(() => ModelLatency, { description: 'How long a picture takes, roughly.' })
  latencyClass!: ModelLatency;

  @Field(() => Int, {
    nullable: true,
    description: 'Credits of a picture; null where the tier of the request decides.',
  })
  creditsPerRequest!: number | null;

  @Field(() => Int, { nullable: true, description: 'Fewest credits that a picture takes, whatever the tier.' })
  minCredits!: number | null;

  @Field(() => [OutputFormat], { description: 'How its pictures can be encoded.' })
  outputTypes!: OutputFormat[];

  @Field(() => String, { description: 'The size that is drawn when none is asked for.' })
  defaultSize!: string;

  @Field(() => Boolean, { description: 'Whether it can be asked for now: set up here, not retired, and unlocked.' })
  isAvailable!: boolean;

  @Field(() => String, { nullable: true, description: 'The day from which its provider refuses it: 2026-10-23.' })
  retiresAt!: string | null;

  @Field(() => ModelUnlockStatus, { nullable: true, description: 'Of frontier models; null for all others.' })
  unlockStatus!: ModelUnlockStatus | null;
}

export const JobModelConnection = connectionType('JobModel', () => JobModel);

const NOTHING_TO_WAIT_FOR: ModelUnlockStatus = {
  type: ModelUnlockType.UNLOCKED,
  displayCurrent: null,
  displayGoal: null,
  fundedBasis: null,
  unlockUrl: null,
  agentHint: null,
};

export interface OfferedStanding {
  isDefault: boolean;
  runs: boolean;
  unlock: UnlockProgress;
}

export function jobModelView(model: OfferedModel, { isDefault, runs, unlock }: OfferedStanding): JobModel {
  const { jobs } = model;
  const unlockStatus = jobs.frontier === null ? null : unlockView(jobs.frontier, unlock);
  return {
    id: model.slug,
    qualityTier: jobs.qualityTier as QualityTier,
    isDefault,
    provider: model.provider,
    parameter: jobs.field,
    capabilities: { ...model.capabilities },
    costTier: jobs.costTier as ModelLevel,
    latencyClass: jobs.latencyClass as ModelLatency,
    creditsPerRequest: jobs.credits,
    minCredits: jobs.minCredits,
    outputTypes: [OutputFormat.PNG, OutputFormat.WEBP, OutputFormat.AVIF],
    defaultSize: defaultSize(model.sizes).slug,
    isAvailable: runs && unlockStatus?.type !== ModelUnlockType.COMMUNITY_MILESTONE,
    retiresAt: model.retiresAt ?? null,
    unlockStatus,
  };
}

function unlockView(frontier: 'unlocked' | 'milestone', unlock: UnlockProgress): ModelUnlockStatus {
  if (frontier === 'unlocked') return NOTHING_TO_WAIT_FOR;
  return { ...unlock, type: unlock.type.toLowerCase() as ModelUnlockType };
}

const CAPABILITY_OF: Readonly<Record<ModelCapability, keyof Capabilities>> = {
  [ModelCapability.TXT2IMG]: 'txt2img',
  [ModelCapability.IMG2IMG]: 'img2img',
  [ModelCapability.INPAINT]: 'inpaint',
  [ModelCapability.NEGATIVE_PROMPT]: 'negativePrompt',
  [ModelCapability.SEED_CONTROL]: 'seedControl',
};

export function can({ capabilities }: OfferedModel, capability: ModelCapability | null): boolean {
  return capability === null || capabilities[CAPABILITY_OF[capability]];
}
