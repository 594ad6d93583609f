import { Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { Json } from '../../../platform/graph/scalars.js';
import { VerifierId, VerifierRunId } from '../../../platform/ids.js';
import { type VerifierRunDocument, VerifierRunStatus } from './verifier-run.model.js';

registerEnumType(VerifierRunStatus, {
  name: 'VerifierRunStatus',
  description: 'ERROR when the judge was asked and failed, which costs nothing.',
});

export enum VerifierErrorCode {
  RUNTIME_ERROR = 'runtime_error',
  TIMEOUT = 'timeout',
  VERIFIER_UNAVAILABLE = 'verifier_unavailable',
}
registerEnumType(VerifierErrorCode, {
  name: 'VerifierErrorCode',
  description: 'Why the judge gave no verdict: it failed or made no sense, took too long, or was overloaded.',
});

@ObjectType({ description: 'One judgement. What was judged is not kept.' })
@Directive('@key(fields: "id")')
export class VerifierRun {
  @Field(() => ID, { description: 'Id of the run.' })
  id!: string;

  @Field(() => ID, { nullable: true, description: 'The id, for a run of an account; null without one.' })
  verifierRunId!: string | null;

  @Field(() => ID, { nullable: true, description: 'The id, for a run without an account; null with one.' })
  anonymousVerifierRunId!: string | null;

  @Field(() => ID, { description: 'What judged: the id of a verifier, or `system:name`.' })
  verifierId!: string;

  @Field(() => Int, { description: 'The version that judged.' })
  version!: number;

  @Field(() => VerifierRunStatus, { description: 'Whether there is a verdict.' })
  status!: VerifierRunStatus;

  @Field(() => Boolean, { nullable: true, description: 'The verdict; null when there is none.' })
  passed!: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why. Null when there is no verdict, and for whoever did not run it: it may quote what was judged.',
  })
  reasoning!: string | null;

  @Field(() => String, { nullable: true, description: 'Which judge or model gave the verdict.' })
  judge!: string | null;

  @Field(() => VerifierErrorCode, { nullable: true, description: 'Why there is no verdict.' })
  errorCode!: VerifierErrorCode | null;

  @Field(() => String, { nullable: true, description: 'Why there is no verdict, in words.' })
  errorMessage!: string | null;

  @Field(() => Float, { description: 'What it cost, in US dollars.' })
  costUsd!: number;

  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  durationMs!: number;

  @Field(() => String, { description: 'Keyed hash of the inputs: equal inputs have equal hashes.' })
  inputsHash!: string;

  @Field(() => Date, { description: 'When it was begun.' })
  createdAt!: Date;

  /** Bare id of the verifier; null for one of the platform's own. */
  verifierUuid!: string | null;
}

export const VerifierRunConnection = connectionType('VerifierRun', () => VerifierRun);

const MICROS = 1_000_000;

export function verifierRunView(run: VerifierRunDocument, viewerId: string | null): VerifierRun {
  const id = VerifierRunId.format(run._id);
  const anonymous = run.ownerId === null;
  return {
    id,
    verifierRunId: anonymous ? null : id,
    anonymousVerifierRunId: anonymous ? id : null,
    verifierId: run.verifierId === null ? `system:${run.system}` : VerifierId.format(run.verifierId),
    verifierUuid: run.verifierId,
    version: run.verifierVersion,
    status: run.status,
    passed: run.passed,
    reasoning: run.ownerId === viewerId ? run.reasoning : null,
    judge: run.judge,
    errorCode: run.errorCode as VerifierErrorCode | null,
    errorMessage: run.errorMessage,
    costUsd: run.costMicros / MICROS,
    durationMs: run.durationMs,
    inputsHash: run.inputsHash,
    createdAt: run.createdAt,
  };
}

@InputType({ description: 'What to judge, and by what.' })
export class RunVerifierInput {
  @Field(() => ID, {
    description: 'A verifier as id, `id@version` or name, or one of the platform’s own as `system:workflow-design-qa`.',
  })
  verifier!: string;

  @Field(() => Json, {
    nullable: true,
    description: 'An object with a text for each of its input fields, and nothing else. It is not stored.',
  })
  inputs?: unknown;

  @Field(() => String, { nullable: true, description: 'The picture, where the contract has one.' })
  mediaUrl?: string | null;

  @Field(() => Int, { nullable: true, description: 'Version of the verifier; the current one when left out.' })
  version?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names the request: sent again within a day it is not done again, and answered alike.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'A judgement that has ended, with a verdict or without.' })
export class RunVerifierPayload {
  @Field(() => VerifierRun, { description: 'The run.' })
  run!: VerifierRun;
}
