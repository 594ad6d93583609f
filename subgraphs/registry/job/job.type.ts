import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { PlainId } from '../../../platform/ids.js';
import { Asset } from '../asset/asset.type.js';
import { type JobDocument, JobState, OutputFormat, OutputPreset } from './job.model.js';

registerEnumType(JobState, {
  name: 'JobState',
  description: 'QUEUED, then PROCESSING, then how it ended. It never goes back.',
});
registerEnumType(OutputFormat, { name: 'OutputFormat', description: 'How the picture is encoded.' });
registerEnumType(OutputPreset, { name: 'OutputPreset', description: 'A size that a picture can be had in as well.' });

/** As the billing subgraph has it. */
export enum QualityTier {
  DRAFT = 'draft',
  STANDARD = 'standard',
  PREMIUM = 'premium',
  ULTRA = 'ultra',
  ULTRA_PLUS = 'ultra_plus',
}
registerEnumType(QualityTier, {
  name: 'QualityTier',
  description: 'How good a picture of a job is, and what it costs.',
});

@ObjectType({ description: 'A picture that was asked for: queued, drawn by a worker, and kept for a while.' })
@Directive('@key(fields: "id")')
@OpenToAllKeys()
export class Job {
  @Field(() => ID, { description: 'Id of the job.' })
  id!: string;

  @Field(() => JobState, { description: 'How it stands.' })
  state!: JobState;

  @Field(() => Int, { description: 'Grows with every change of the state.' })
  revision!: number;

  @Field(() => QualityTier, { description: 'The tier that it is charged by.' })
  qualityTier!: QualityTier;

  @Field(() => String, { description: 'The model that draws it.' })
  modelId!: string;

  @Field(() => String, { description: 'The prompt as it came.' })
  originalPrompt!: string;

  @Field(() => String, { description: 'What the model is asked for.' })
  finalPrompt!: string;

  @Field(() => String, { description: 'What was done to the prompt, as JSON: the steps in their order.' })
  enhancementLogic!: string;

  @Field(() => String, { nullable: true, description: 'Where the picture is; null until there is one.' })
  assetUrl!: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is in the size of the preset that was asked for.' })
  presetUrl!: string | null;

  @Field(() => String, { nullable: true, description: 'Where it is without its background, when that was asked for.' })
  bgRemovedUrl!: string | null;

  @Field(() => Asset, { nullable: true, description: 'The picture.' })
  image!: Asset | null;

  @Field(() => Asset, { nullable: true, description: 'The picture without its background.' })
  bgRemovedImage!: Asset | null;

  @Field(() => OutputFormat, { description: 'How the picture is encoded.' })
  outputFormat!: OutputFormat;

  @Field(() => Int, { nullable: true, description: 'The seed that drew it; null where the model takes none.' })
  seedUsed!: number | null;

  @Field(() => String, { nullable: true, description: 'Why it failed.' })
  error!: string | null;

  @Field(() => Int, { description: 'Credits that it costs; given back when it fails.' })
  credits!: number;

  @Field(() => Date, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  completedAt!: Date | null;
}

export const JobConnection = connectionType('Job', () => Job);

export type JobView = (job: JobDocument) => Job;

/** Addresses begin with where this installation is reached. */
export function jobViewer(publicUrl: string): JobView {
  const urlOf = (sha256: string) => `${publicUrl}/v2/assets/${sha256}`;
  return ({ _id, state, changes, drawing, result, failure, ...job }) => {
    const { asset = null, cutOut = null, seedUsed = null } = result ?? {};
    return {
      id: PlainId.format(_id),
      state,
      revision: changes.length,
      qualityTier: job.qualityTier as QualityTier,
      modelId: job.modelId,
      originalPrompt: job.originalPrompt,
      finalPrompt: job.finalPrompt,
      enhancementLogic: JSON.stringify({ steps: job.enhancement }),
      assetUrl: asset && urlOf(asset.sha256),
      presetUrl: asset && drawing.preset && `${urlOf(asset.sha256)}?preset=${drawing.preset}`,
      bgRemovedUrl: cutOut && urlOf(cutOut.sha256),
      image: asset && { id: asset.sha256 },
      bgRemovedImage: cutOut && { id: cutOut.sha256 },
      outputFormat: drawing.format,
      seedUsed,
      error: failure?.message ?? null,
      credits: job.cost,
      createdAt: job.createdAt,
      completedAt: job.completedAt,
    };
  };
}
