import { Directive, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { Json } from '../../../platform/graph/scalars.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { User } from '../user/user.type.js';
import { VersionedStatus } from '../versioned/versioned.type.js';
import type { GeneratorDocument, GeneratorVersion } from './generator.model.js';

export enum GenerationContract {
  TEXT_TO_IMAGE = 'text_to_image',
  IMAGE_TO_IMAGE = 'image_to_image',
}
registerEnumType(GenerationContract, {
  name: 'GenerationContract',
  description: 'What a run is given: a prompt alone, or a prompt and a reference image.',
});

@ObjectType({ description: 'What one deploy of a generator fixed for good.' })
export class ImageGeneratorVersion {
  @Field(() => Int, { description: 'Number of the version, from 1.' })
  version!: number;

  @Field(() => String, { description: 'What it is for.' })
  description!: string;

  @Field(() => String, { description: 'The model that draws.' })
  model!: string;

  @Field(() => String, { description: 'Who runs the model.' })
  provider!: string;

  @Field(() => GenerationContract, { description: 'What a run is given.' })
  generationContract!: GenerationContract;

  @Field(() => Json, { description: 'Parameters of every run that does not say otherwise.' })
  defaultParams!: unknown;

  @Field(() => String, { description: 'SHA-256 of what the version pins: equal hashes mean equal behaviour.' })
  configHash!: string;

  @Field(() => Date, { description: 'When it was deployed.' })
  createdAt!: Date;
}

export const ImageGeneratorVersionConnection = connectionType('ImageGeneratorVersion', () => ImageGeneratorVersion);

export function versionView({ config, ...version }: GeneratorVersion): ImageGeneratorVersion {
  return {
    version: version.version,
    description: version.description,
    model: config.model,
    provider: config.provider,
    generationContract: config.generationContract as GenerationContract,
    defaultParams: config.defaultParams,
    configHash: version.configHash,
    createdAt: version.createdAt,
  };
}

@ObjectType({ description: 'A deployed image generator: a model and its default parameters under a name.' })
@Directive('@key(fields: "id")')
export class ImageGenerator {
  @Field(() => ID, { description: 'Id of the generator.' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique for its owner.' })
  name!: string;

  @Field(() => VersionedStatus, { description: 'Whether it can be used.' })
  status!: VersionedStatus;

  @Field(() => String, { description: 'What it is for, by the version that is shown.' })
  description!: string;

  @Field(() => String, { description: 'The model that draws, by the version that is shown.' })
  model!: string;

  @Field(() => ImageGeneratorVersion, { description: 'The version that was asked for; the current one in lists.' })
  version!: ImageGeneratorVersion;

  @Field(() => Int, { description: 'The version that runs when none is named.' })
  currentVersion!: number;

  @Field(() => String, { description: 'Who deploys next must send it as expectedVersionToken.' })
  versionToken!: string;

  @Field(() => Date, { description: 'When it was first deployed.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When it was last deployed.' })
  updatedAt!: Date;

  @Field(() => User, { description: 'Whose generator it is.' })
  owner!: User;
}

export const ImageGeneratorConnection = connectionType('ImageGenerator', () => ImageGenerator);

export function generatorView(
  { _id, ownerId, current, ...thing }: GeneratorDocument,
  version: GeneratorVersion = current,
): ImageGenerator {
  const { name, status, versionToken, createdAt, updatedAt } = thing;
  return {
    id: PlainId.format(_id),
    name,
    status,
    description: version.description,
    model: version.config.model,
    version: versionView(version),
    currentVersion: current.version,
    versionToken,
    createdAt,
    updatedAt,
    owner: { id: UserId.format(ownerId) },
  };
}

@ObjectType({ description: 'A generator as it was just deployed.' })
export class DeployImageGeneratorPayload {
  @Field(() => ImageGenerator, { description: 'The generator at its new version.' })
  generator!: ImageGenerator;
}

@InputType({ description: 'A new generator, or a new version of one.' })
export class DeployImageGeneratorInput {
  @Field(() => String, { description: 'Its name: 1 to 128 of a-z, 0-9 and hyphens.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description?: string | null;

  @Field(() => String, { description: 'A model of `models`.' })
  model!: string;

  @Field(() => GenerationContract, { description: 'What a run is given.' })
  generationContract!: GenerationContract;

  @Field(() => Json, { nullable: true, description: 'Parameters of every run that does not say otherwise: an object.' })
  defaultParams?: unknown;

  @Field(() => String, {
    nullable: true,
    description: 'The token of the latest deploy. Leave it out for a new name, and only then.',
  })
  expectedVersionToken?: string | null;
}

@InputType({ description: 'The generator to take out of use.' })
export class RevokeImageGeneratorInput {
  @Field(() => ID, { description: 'Id of the generator.' })
  id!: string;
}

@ObjectType({ description: 'A generator that can no longer be used.' })
export class RevokeImageGeneratorPayload {
  @Field(() => ID, { description: 'Id of the generator.' })
  generatorId!: string;

  @Field(() => VersionedStatus, { description: 'Always REVOKED.' })
  status!: VersionedStatus;
}

@InputType({ description: 'The generator to erase.' })
export class DeleteImageGeneratorInput {
  @Field(() => ID, { description: 'Id of the generator.' })
  id!: string;
}

@ObjectType({ description: 'A generator that is gone, with its versions and its runs.' })
export class DeleteImageGeneratorPayload {
  @Field(() => ID, { description: 'Id of the generator.' })
  generatorId!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}
