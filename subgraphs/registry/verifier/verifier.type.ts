import { Directive, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { Json } from '../../../platform/graph/scalars.js';
import { UserId, VerifierId } from '../../../platform/ids.js';
import { User } from '../user/user.type.js';
import { VersionedStatus } from '../versioned/versioned.type.js';
import type { VerifierDocument, VerifierVersion } from './verifier.model.js';

export enum VerifierContract {
  TEXT = 'text',
  TEXT_IMAGE = 'text_image',
  IMAGE = 'image',
}
registerEnumType(VerifierContract, {
  name: 'VerifierContract',
  description: 'What a run of a verifier is given: texts, texts and a picture, or a picture alone.',
});

export enum VerifierEffort {
  MINIMAL = 'minimal',
  LOW = 'low',
  MEDIUM = 'medium',
  HIGH = 'high',
}
registerEnumType(VerifierEffort, { name: 'VerifierEffort', description: 'How hard a judge thinks before it answers.' });

@ObjectType({ description: 'Which model judges, and how hard it thinks.' })
export class VerifierModelSettings {
  @Field(() => String, { nullable: true, description: 'The model; null leaves it to the installation.' })
  model!: string | null;

  @Field(() => VerifierEffort, { nullable: true, description: 'How hard it thinks; null leaves it to the model.' })
  reasoningEffort!: VerifierEffort | null;
}

@ObjectType({ description: 'A case that is decided already, for the judge to go by.' })
export class VerifierExample {
  @Field(() => Json, { description: 'A text for each input field.' })
  inputs!: unknown;

  @Field(() => Boolean, { description: 'Whether these inputs meet the criterion.' })
  passed!: boolean;

  @Field(() => String, { nullable: true, description: 'Why.' })
  reasoning!: string | null;
}

@ObjectType('VerifierVersion', { description: 'What one deploy of a verifier fixed for good.' })
export class VerifierVersionDetails {
  @Field(() => Int, { description: 'Number of the version, from 1.' })
  version!: number;

  @Field(() => String, { description: 'What it is for.' })
  description!: string;

  @Field(() => String, { description: 'What must hold for the inputs to pass.' })
  criterion!: string;

  @Field(() => VerifierContract, { description: 'What a run is given.' })
  inputContract!: VerifierContract;

  @Field(() => [String], { description: 'The names of the texts of a run.' })
  inputFields!: string[];

  @Field(() => [VerifierExample], { description: 'Cases that are decided already.' })
  fewShotExamples!: VerifierExample[];

  @Field(() => VerifierModelSettings, { description: 'Which model judges.' })
  modelSettings!: VerifierModelSettings;

  @Field(() => String, { description: 'SHA-256 of what the version pins: equal hashes mean equal behaviour.' })
  configHash!: string;

  @Field(() => Date, { description: 'When it was deployed.' })
  createdAt!: Date;
}

export const VerifierVersionConnection = connectionType('VerifierVersion', () => VerifierVersionDetails);

export function versionView({ config, ...version }: VerifierVersion): VerifierVersionDetails {
  return {
    version: version.version,
    description: version.description,
    criterion: config.criterion,
    inputContract: config.inputContract as VerifierContract,
    inputFields: config.inputFields,
    fewShotExamples: config.examples,
    modelSettings: { model: config.model, reasoningEffort: config.reasoningEffort as VerifierEffort | null },
    configHash: version.configHash,
    createdAt: version.createdAt,
  };
}

@ObjectType({ description: 'A deployed verifier: a criterion that a judge holds texts and pictures to.' })
@Directive('@key(fields: "id")')
export class Verifier {
  @Field(() => ID, { description: 'Id of the verifier.' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique for its owner.' })
  name!: string;

  @Field(() => VersionedStatus, { description: 'Whether it can be used.' })
  status!: VersionedStatus;

  @Field(() => String, { description: 'What it is for, by the version that is shown.' })
  description!: string;

  @Field(() => VerifierVersionDetails, { description: 'The version that was asked for; the current one in lists.' })
  version!: VerifierVersionDetails;

  @Field(() => Int, { description: 'The version that runs when none is named.' })
  currentVersion!: number;

  @Field(() => String, { description: 'Who deploys next must send it as expectedVersionToken.' })
  versionToken!: string;

  @Field(() => Date, { description: 'When it was first deployed.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When it was last deployed.' })
  updatedAt!: Date;

  @Field(() => User, { description: 'Whose verifier it is.' })
  owner!: User;

  /** Bare, for what is loaded by it. */
  uuid!: string;
}

export const VerifierConnection = connectionType('Verifier', () => Verifier);

export function verifierView(
  { _id, ownerId, current, ...thing }: VerifierDocument,
  version: VerifierVersion = current,
): Verifier {
  const { name, status, versionToken, createdAt, updatedAt } = thing;
  return {
    id: VerifierId.format(_id),
    uuid: _id,
    name,
    status,
    description: version.description,
    version: versionView(version),
    currentVersion: current.version,
    versionToken,
    createdAt,
    updatedAt,
    owner: { id: UserId.format(ownerId) },
  };
}

@ObjectType({ description: 'A verifier as it was just deployed.' })
export class DeployVerifierPayload {
  @Field(() => Verifier, { description: 'The verifier at its new version.' })
  verifier!: Verifier;
}

@InputType({ description: 'A case that is decided already.' })
export class VerifierExampleInput {
  @Field(() => Json, { description: 'An object with a text for each input field.' })
  inputs!: unknown;

  @Field(() => Boolean, { description: 'Whether these inputs meet the criterion.' })
  passed!: boolean;

  @Field(() => String, { nullable: true, description: 'Why.' })
  reasoning?: string | null;
}

@InputType({ description: 'Which model judges, and how hard it thinks.' })
export class VerifierModelSettingsInput {
  @Field(() => String, { nullable: true, description: 'The model; left out, the installation chooses.' })
  model?: string | null;

  @Field(() => VerifierEffort, { nullable: true, description: 'How hard it thinks.' })
  reasoningEffort?: VerifierEffort | null;
}

@InputType({ description: 'A new verifier, or a new version of one.' })
export class DeployVerifierInput {
  @Field(() => String, { description: 'Its name: 1 to 128 of a-z, 0-9 and hyphens.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description?: string | null;

  @Field(() => String, { description: 'What must hold for the inputs to pass.' })
  criterion!: string;

  @Field(() => VerifierContract, { nullable: true, description: 'What a run is given; TEXT when left out.' })
  inputContract?: VerifierContract | null;

  @Field(() => [String], { nullable: true, description: 'The names of the texts of a run; none for IMAGE.' })
  inputFields?: string[] | null;

  @Field(() => [VerifierExampleInput], { nullable: true, description: 'Cases that are decided already.' })
  fewShotExamples?: VerifierExampleInput[] | null;

  @Field(() => VerifierModelSettingsInput, { nullable: true, description: 'Which model judges.' })
  modelSettings?: VerifierModelSettingsInput | null;

  @Field(() => String, {
    nullable: true,
    description: 'The token of the latest deploy. Leave it out for a new name, and only then.',
  })
  expectedVersionToken?: string | null;
}

@InputType({ description: 'The verifier to take out of use.' })
export class RevokeVerifierInput {
  @Field(() => ID, { description: 'Id of the verifier, or its name.' })
  verifier!: string;
}

@ObjectType({ description: 'A verifier that can no longer be used.' })
export class RevokeVerifierPayload {
  @Field(() => ID, { description: 'Id of the verifier.' })
  verifierId!: string;

  @Field(() => VersionedStatus, { description: 'Always REVOKED.' })
  status!: VersionedStatus;
}

@InputType({ description: 'The verifier to erase.' })
export class DeleteVerifierInput {
  @Field(() => ID, { description: 'Id of the verifier, or its name.' })
  verifier!: string;
}

@ObjectType({ description: 'A verifier that is gone, with its versions and its runs.' })
export class DeleteVerifierPayload {
  @Field(() => ID, { description: 'Id of the verifier.' })
  verifierId!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}
