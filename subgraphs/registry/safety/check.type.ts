import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { VerifierRunId } from '../../../platform/ids.js';
import type { VerifierRunDocument } from '../verifier/verifier-run.model.js';
import type { SafetyReport } from './check.js';

export enum SafetyCheckStatus {
  CLEAN = 'clean',
  FLAGGED = 'flagged',
  BLOCKED = 'blocked',
  ERROR = 'error',
}
registerEnumType(SafetyCheckStatus, {
  name: 'SafetyCheckStatus',
  description: 'BLOCKED could not be published, FLAGGED could with a note; ERROR when a judge gave no verdict.',
});

@ObjectType({ description: 'One of the two checks.' })
export class SafetyRun {
  @Field(() => ID, { description: 'Id of the run of the verifier.' })
  verifierRunId!: string;

  @Field(() => Boolean, { nullable: true, description: 'The verdict; null when there is none.' })
  passed!: boolean | null;

  @Field(() => String, { nullable: true, description: 'Why; for the owner of the text alone.' })
  reasoning!: string | null;
}

@ObjectType({ description: 'What the two safety checks say of a text and its files.' })
export class SafetyCheck {
  @Field(() => SafetyCheckStatus, { description: 'Both in a word.' })
  status!: SafetyCheckStatus;

  @Field(() => SafetyRun, { description: 'The check for what must not be published.' })
  block!: SafetyRun;

  @Field(() => SafetyRun, { nullable: true, description: 'The check for what a reader should know.' })
  advisory!: SafetyRun | null;
}

export function safetyCheckView({ status, block, advisory }: SafetyReport, own: boolean): SafetyCheck {
  return {
    status: status as SafetyCheckStatus,
    block: safetyRunView(block, own),
    advisory: advisory && safetyRunView(advisory, own),
  };
}

function safetyRunView({ _id, passed, reasoning }: VerifierRunDocument, own: boolean): SafetyRun {
  return { verifierRunId: VerifierRunId.format(_id), passed, reasoning: own ? reasoning : null };
}
