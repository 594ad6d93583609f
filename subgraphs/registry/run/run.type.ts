import { Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { Json } from '../../../platform/graph/scalars.js';
import { PlainId } from '../../../platform/ids.js';
import { GenerationContract } from '../generator/generator.type.js';
import { Image } from '../image/image.type.js';
import { type RunDocument, RunStatus } from './run.model.js';

registerEnumType(RunStatus, {
  name: 'RunStatus',
  description: 'RUNNING until it is decided; ERROR when no picture came of it, which costs nothing.',
});

export enum RunErrorCode {
  PROVIDER_ERROR = 'provider_error',
  RUNTIME_ERROR = 'runtime_error',
  TIMEOUT = 'timeout',
}
registerEnumType(RunErrorCode, {
  name: 'RunErrorCode',
  description: 'Whose failure it was: the provider’s, ours, or that of the time it may take.',
});

/** As the images subgraph has it. */
export enum ImageVisibility {
  PUBLIC = 'public',
  PRIVATE = 'private',
}
registerEnumType(ImageVisibility, { name: 'ImageVisibility', description: 'Who may fetch the bytes of an image.' });

@ObjectType({ description: 'A picture of a run as it was hosted when the run ended.' })
export class HostedOutput {
  @Field(() => ID, { description: 'The management id.' })
  id!: string;

  @Field(() => String, { description: 'Where the bytes are.' })
  url!: string;

  @Field(() => ImageVisibility, { description: 'Who may fetch the bytes.' })
  visibility!: ImageVisibility;

  @Field(() => Date, { nullable: true, description: 'When it stops resolving; null when it stays.' })
  expiresAt!: Date | null;
}

@ObjectType({ description: 'One run of a generator, a tier or a model. The prompt is not kept.' })
@Directive('@key(fields: "id")')
export class GenerationRun {
  @Field(() => ID, { description: 'Id of the run.' })
  id!: string;

  @Field(() => RunStatus, { description: 'How it stands.' })
  status!: RunStatus;

  @Field(() => String, { description: 'What was chosen: a tier, else the model.' })
  modelTierOrModel!: string;

  @Field(() => String, { description: 'The model that drew.' })
  model!: string;

  @Field(() => String, { description: 'Who runs the model.' })
  provider!: string;

  @Field(() => GenerationContract, { description: 'Whether there was a reference image beside the prompt.' })
  generationContract!: GenerationContract;

  @Field(() => ID, { nullable: true, description: 'The generator, where one was used.' })
  generatorId!: string | null;

  @Field(() => Int, { nullable: true, description: 'Its version that drew.' })
  generatorVersion!: number | null;

  @Field(() => String, { description: 'A keyed one-way hash of the prompt: equal prompts have equal hashes.' })
  promptHash!: string;

  @Field(() => Int, { nullable: true, description: 'The seed of the first picture, where it is known.' })
  seed!: number | null;

  @Field(() => Int, { description: 'How many pictures were asked for.' })
  numImages!: number;

  @Field(() => String, { nullable: true, description: 'The first picture that there is.' })
  imageUrl!: string | null;

  @Field(() => [String], {
    nullable: 'items',
    description: 'A picture for each that was asked for, null where it failed; empty when the run failed.',
  })
  imageUrls!: (string | null)[];

  @Field(() => [HostedOutput], {
    nullable: 'items',
    description: 'What became of each at the end of the run, in the order of imageUrls; null where it is not hosted.',
  })
  hostedImages!: (HostedOutput | null)[];

  @Field(() => [Image], {
    nullable: 'items',
    description: 'The hosted images as they are, in the order of imageUrls; null where there is none any more.',
  })
  images!: (Image | null)[];

  @Field(() => Int, { nullable: true, description: 'Width of the pictures.' })
  width!: number | null;

  @Field(() => Int, { nullable: true, description: 'Height of the pictures.' })
  height!: number | null;

  @Field(() => Float, { description: 'What it cost, exact to the millionth of a dollar.' })
  costUsd!: number;

  @Field(() => Int, { description: 'How long it took.' })
  durationMs!: number;

  @Field(() => RunErrorCode, { nullable: true, description: 'Why there is no picture.' })
  errorCode!: RunErrorCode | null;

  @Field(() => String, { nullable: true, description: 'The same in words.' })
  errorMessage!: string | null;

  @Field(() => Date, { description: 'When it began.' })
  createdAt!: Date;

  @Field(() => String, { nullable: true, description: 'The workflow that it was part of, as the caller said.' })
  workflowId!: string | null;

  @Field(() => Int, { nullable: true, description: 'The version of that workflow, as the caller said.' })
  workflowVersion!: number | null;

  @Field(() => String, { nullable: true, description: 'How the caller referred to that workflow.' })
  workflowRef!: string | null;

  @Field(() => String, { nullable: true, description: 'The caller’s own id of what the run was part of.' })
  runId!: string | null;
}

export const GenerationRunConnection = connectionType('GenerationRun', () => GenerationRun);

const MICROS = 1_000_000;

export function runView({ _id, outputs, chosen, contract, costMicros, ...run }: RunDocument): GenerationRun {
  const imageUrls = outputs.map(({ url }) => url);
  const hosted = outputs.map((output) => output.hosted);
  return {
    ...run,
    id: PlainId.format(_id),
    modelTierOrModel: chosen,
    generationContract: contract as GenerationContract,
    imageUrl: imageUrls.find((url) => url !== null) ?? null,
    imageUrls,
    hostedImages: hosted as (HostedOutput | null)[],
    images: hosted.map((image) => image && { id: PlainId.format(image.id) }),
    costUsd: costMicros / MICROS,
    errorCode: run.errorCode as RunErrorCode | null,
  };
}

@InputType({ description: 'What to draw, and with what.' })
export class RunImageGeneratorInput {
  @Field(() => String, { description: 'What to draw, 1 to 4,000 characters. It is not stored.' })
  prompt!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'A generator as `uuid` or `uuid@version`, or a tier as `system:image-standard`, which is the default. Not with `model`.',
  })
  generator?: string | null;

  @Field(() => String, { nullable: true, description: 'A model for this run alone. Not with `generator`.' })
  model?: string | null;

  @Field(() => Int, { nullable: true, description: 'Version of the generator; the current one when left out.' })
  version?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'A picture to go by: needed for IMAGE_TO_IMAGE, refused for TEXT_TO_IMAGE.',
  })
  referenceImageUrl?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many pictures, 1 to 4; each is charged. 1 when left out.' })
  numImages?: number | null;

  @Field(() => Int, { nullable: true, description: 'The same seed gives the same picture, where the model can.' })
  seed?: number | null;

  @Field(() => Json, { nullable: true, description: 'Merged over the default parameters: an object.' })
  params?: unknown;

  @Field(() => String, { nullable: true, description: 'The workflow that the run is part of; kept with it.' })
  workflowId?: string | null;

  @Field(() => Int, { nullable: true, description: 'The version of that workflow; kept with the run.' })
  workflowVersion?: number | null;

  @Field(() => String, { nullable: true, description: 'How you refer to that workflow; kept with the run.' })
  workflowRef?: string | null;

  @Field(() => String, { nullable: true, description: 'Your own id of what the run is part of; kept with it.' })
  runId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names the request: sent again within a day it is not done again, and answered alike.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'A run that has ended, well or not.' })
export class RunImageGeneratorPayload {
  @Field(() => GenerationRun, { description: 'The run.' })
  run!: GenerationRun;
}

@InputType({ description: 'Which run to call off.' })
export class CancelGenerationInput {
  @Field(() => String, { description: 'The idempotency key of the request that began it.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'What was called off. The answer of the request itself says what it came to.' })
export class CancelGenerationPayload {
  @Field(() => String, { description: 'The key that was named.' })
  idempotencyKey!: string;
}
