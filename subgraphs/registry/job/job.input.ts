import { Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { OutputFormat, OutputPreset } from './job.model.js';
import { Job, QualityTier } from './job.type.js';

export enum JobMode {
  TXT2IMG = 'txt2img',
  IMG2IMG = 'img2img',
}
registerEnumType(JobMode, { name: 'JobMode', description: 'From a prompt alone, or from a picture as well.' });

@InputType({ description: 'What to draw, with what, and how to have it.' })
export class CreateJobInput {
  @Field(() => String, { description: 'What to draw, 1 to 2,000 characters. Kept with the job.' })
  prompt!: string;

  @Field(() => QualityTier, { nullable: true, description: 'The tier; STANDARD when left out.' })
  qualityTier?: QualityTier | null;

  @Field(() => String, { nullable: true, description: 'A model of OpenAI. Charged as ULTRA.' })
  openaiModel?: string | null;

  @Field(() => String, { nullable: true, description: 'A model of Cloudflare, for DRAFT, STANDARD or PREMIUM.' })
  cfModel?: string | null;

  @Field(() => String, { nullable: true, description: 'A model of Gemini. Charged by its own tier.' })
  model?: string | null;

  @Field(() => String, { nullable: true, description: 'The shape, as 16:9; that of the model when left out.' })
  aspectRatio?: string | null;

  @Field(() => String, { nullable: true, description: 'For Gemini alone: 512, 1K, 2K or 4K.' })
  imageSize?: string | null;

  @Field(() => String, { nullable: true, description: 'What to keep out of the picture, where the model can.' })
  negativePrompt?: string | null;

  @Field(() => Int, { nullable: true, description: 'The same seed gives the same picture, where the model takes one.' })
  seed?: number | null;

  @Field(() => JobMode, { nullable: true, description: 'IMG2IMG when a picture to go by is given, else TXT2IMG.' })
  mode?: JobMode | null;

  @Field(() => ID, { nullable: true, description: 'A completed job of yours whose picture is gone by.' })
  inputJobId?: string | null;

  @Field(() => String, { nullable: true, description: 'The address of a picture to go by.' })
  inputAssetUrl?: string | null;

  @Field(() => String, { nullable: true, description: 'A picture to go by, in base64.' })
  inputImage?: string | null;

  @Field(() => String, { nullable: true, description: 'In base64: what is white in it is drawn anew.' })
  maskImage?: string | null;

  @Field(() => Float, { nullable: true, description: 'How far to leave the picture that is gone by, 0 to 1.' })
  inputStrength?: number | null;

  @Field(() => OutputFormat, { nullable: true, description: 'How it is encoded; WEBP when left out.' })
  outputFormat?: OutputFormat | null;

  @Field(() => Int, { nullable: true, description: '1 to 100, for WEBP and AVIF; 85 when left out.' })
  outputQuality?: number | null;

  @Field(() => OutputPreset, { nullable: true, description: 'A size to have it in as well.' })
  outputPreset?: OutputPreset | null;

  @Field(() => Boolean, { nullable: true, description: 'Also make a transparent PNG without the background.' })
  backgroundRemoval?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Wait for the picture, up to 60 seconds. Left out: yes for DRAFT and STANDARD, no for the others.',
  })
  sync?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names the request: sent again within a day it is the same job.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'A job that was taken on.' })
@OpenToAllKeys()
export class CreateJobPayload {
  @Field(() => Job, { description: 'The job as it ended, or as it stands.' })
  job!: Job;
}

@InputType({ description: 'Which job to vary, and how.' })
export class CreateVariationsInput {
  @Field(() => ID, { description: 'A completed job of yours.' })
  jobId!: string;

  @Field(() => Int, { nullable: true, description: 'How many, 1 to 4; 1 when left out. Each takes a credit.' })
  count?: number | null;

  @Field(() => Float, { nullable: true, description: '0 is close to the source, 1 far from it; 0.7 when left out.' })
  variationStrength?: number | null;

  @Field(() => Int, { nullable: true, description: 'Seed of the first; the others take the seeds after it.' })
  seed?: number | null;
}

@ObjectType({ description: 'Variations that were taken on.' })
@OpenToAllKeys()
export class CreateVariationsPayload {
  @Field(() => [Job], { description: 'A job for each.' })
  jobs!: Job[];
}

@InputType({ description: 'Which job to delete.' })
export class DeleteJobInput {
  @Field(() => ID, { description: 'Id of the job.' })
  id!: string;
}

@ObjectType({ description: 'A job that is gone.' })
@OpenToAllKeys()
export class DeleteJobPayload {
  @Field(() => ID, { description: 'Id that it had.' })
  id!: string;

  @Field(() => Boolean, { description: 'True.' })
  deleted!: boolean;
}
