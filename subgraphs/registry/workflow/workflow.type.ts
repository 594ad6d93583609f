import { ArgsType, Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ConnectionArgs, connectionType } from '../../../platform/graph/connection.js';
import { PlainId, UserId, VerifierId, WorkflowId } from '../../../platform/ids.js';
import { Invitation } from '../invitation/invitation.type.js';
import { SafetyCheck } from '../safety/check.type.js';
import { SearchMode } from '../search/search.type.js';
import { User } from '../user/user.type.js';
import { type Access, ROLES, type Role } from './workflow.access.js';
import {
  type Parent,
  type VerifierPin,
  type WorkflowDocument,
  WorkflowStatus,
  type WorkflowVersion,
} from './workflow.model.js';

registerEnumType(WorkflowStatus, { name: 'WorkflowStatus', description: 'Whether a workflow is in use or put away.' });

export enum WorkflowRole {
  VIEW = 'view',
  EDIT = 'edit',
  ADMIN = 'admin',
  OWNER = 'owner',
}
registerEnumType(WorkflowRole, {
  name: 'WorkflowRole',
  description: 'What somebody may do with a workflow: read, save versions, share, or everything.',
});

export enum WorkflowFilter {
  MINE = 'mine',
  ALL = 'all',
  SHARED_WITH_ME = 'shared-with-me',
}
registerEnumType(WorkflowFilter, {
  name: 'WorkflowFilter',
  description: 'Your own workflows, those that others share with you, or both.',
});

@ObjectType({ description: 'A file beside the body of a workflow. Its bytes are at the workflow’s files path.' })
export class WorkflowFile {
  @Field(() => String, { description: 'Where it stands in the bundle.' })
  path!: string;

  @Field(() => Int, { description: 'Size of its bytes.' })
  sizeBytes!: number;

  @Field(() => String, { description: 'SHA-256 of its bytes, in hexadecimal digits.' })
  sha256!: string;

  @Field(() => String, { description: 'Media type, by the ending of its name.' })
  contentType!: string;
}

@ObjectType({ description: 'A verifier that a version of a workflow uses.' })
export class WorkflowVerifier {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, { description: 'Its id, or `system:name`.' })
  verifierId!: string;

  @Field(() => Int, { nullable: true, description: 'The version that is pinned; null for the newest.' })
  version!: number | null;
}

@ObjectType({ description: 'An image generator that a version of a workflow uses.' })
export class WorkflowImageGenerator {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, { description: '`uuid`, `uuid@version` or `system:tier`.' })
  generatorRef!: string;
}

@ObjectType({ description: 'What one save of a workflow fixed for good.' })
export class WorkflowVersionView {
  @Field(() => Int, { description: 'Number of the version, from 1. Numbers are never given again.' })
  version!: number;

  @Field(() => String, { description: 'The name.' })
  name!: string;

  @Field(() => String, { description: 'What it is for.' })
  description!: string;

  @Field(() => String, { description: 'What is true when it has been followed.' })
  outcome!: string;

  @Field(() => [String], { description: 'Words to find it by.' })
  tags!: string[];

  @Field(() => String, { description: 'The runbook, in Markdown.' })
  body!: string;

  @Field(() => [WorkflowFile], { description: 'Files beside the body.' })
  files!: WorkflowFile[];

  @Field(() => [WorkflowVerifier], { description: 'Verifiers that the body uses.' })
  verifiers!: WorkflowVerifier[];

  @Field(() => [WorkflowImageGenerator], { description: 'Image generators that the body uses.' })
  imageGenerators!: WorkflowImageGenerator[];

  @Field(() => String, { nullable: true, description: 'Where the save came from.' })
  source!: string | null;

  @Field(() => User, { description: 'Who saved it.' })
  savedBy!: User;

  @Field(() => Date, { description: 'When it was saved.' })
  createdAt!: Date;
}

@ObjectType({ description: 'A private runbook. The members of `version` are those of the version that was asked for.' })
@Directive('@key(fields: "id")')
export class Workflow {
  @Field(() => ID, { description: 'The id, for example wf_0190….' })
  id!: string;

  @Field(() => String, { description: 'Its name in addresses, unique for its owner.' })
  slug!: string;

  @Field(() => WorkflowStatus, { description: 'In use, or put away.' })
  status!: WorkflowStatus;

  @Field(() => Int, { description: 'The newest version.' })
  currentVersion!: number;

  @Field(() => String, {
    nullable: true,
    description: 'Who saves the next version must name it; null for who may not.',
  })
  versionToken!: string | null;

  @Field(() => WorkflowRole, { description: 'What you may do with it.' })
  effectiveRole!: WorkflowRole;

  @Field(() => WorkflowVersionView, { description: 'The version that was asked for; the current one otherwise.' })
  version!: WorkflowVersionView;

  @Field(() => ID, { nullable: true, description: 'The template that it was forked from; null when it was not.' })
  parentTemplateId!: string | null;

  @Field(() => Int, { nullable: true, description: 'Which version of that template.' })
  parentTemplateVersion!: number | null;

  @Field(() => User, { description: 'Whose workflow it is.' })
  owner!: User;

  @Field(() => Date, { description: 'When it was first saved.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When its current version was saved.' })
  updatedAt!: Date;

  /** For the resolvers of its fields. */
  document!: WorkflowDocument;

  access!: Access;
}

export const WorkflowConnection = connectionType('Workflow', () => Workflow);
export const WorkflowVersionConnection = connectionType('WorkflowVersionView', () => WorkflowVersionView);

const SHOWN_ROLE: Readonly<Record<Role, WorkflowRole>> = {
  view: WorkflowRole.VIEW,
  edit: WorkflowRole.EDIT,
  admin: WorkflowRole.ADMIN,
  owner: WorkflowRole.OWNER,
};

export function workflowView(document: WorkflowDocument, version: WorkflowVersion, access: Access): Workflow {
  const { _id, ownerId, slug, status, current, versionToken, parent, createdAt, updatedAt } = document;
  return {
    id: WorkflowId.format(_id),
    slug,
    status,
    currentVersion: current.version,
    versionToken: ROLES.indexOf(access.role) >= ROLES.indexOf('edit') ? versionToken : null,
    effectiveRole: SHOWN_ROLE[access.role],
    version: workflowVersionView(version),
    parentTemplateId: parent && PlainId.format(parent.templateId),
    parentTemplateVersion: parent?.version ?? null,
    owner: { id: UserId.format(ownerId) },
    createdAt,
    updatedAt,
    document,
    access,
  };
}

export function workflowVersionView({ savedBy, verifiers, ...version }: WorkflowVersion): WorkflowVersionView {
  return { ...version, verifiers: verifiers.map(verifierView), savedBy: { id: UserId.format(savedBy) } };
}

function verifierView({ name, verifierId, version }: VerifierPin): WorkflowVerifier {
  return { name, verifierId: verifierId.startsWith('system:') ? verifierId : VerifierId.format(verifierId), version };
}

@ArgsType()
export class WorkflowListArgs extends ConnectionArgs {
  @Field(() => WorkflowFilter, { nullable: true, description: 'Whose; your own and shared ones when left out.' })
  filter?: WorkflowFilter | null;

  @Field(() => String, { nullable: true, description: 'Only workflows with this tag.' })
  tag?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only workflows that hold all of these words, or words that begin so.',
  })
  search?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Archived ones too.' })
  includeArchived?: boolean | null;
}

@ObjectType({ description: 'Where a workflow comes from.' })
export class WorkflowLineage {
  @Field(() => ID, { nullable: true, description: 'The template; null for what is no fork, and when it is gone.' })
  parentTemplateId!: string | null;

  @Field(() => Int, { nullable: true, description: 'The version that was forked.' })
  parentTemplateVersion!: number | null;

  @Field(() => Int, { nullable: true, description: 'The newest version that is published; null when none is.' })
  upstreamLatestVersion!: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the template has nothing published any more; null for what is no fork.',
  })
  isUpstreamUnpublished!: boolean | null;

  @Field(() => Boolean, { description: 'Whether it is a fork of a template that was erased.' })
  isUpstreamGone!: boolean;
}

/** What anybody could find out: to the owner of a fork the template is a stranger's. */
export function lineageView(parent: Parent | null, upstream: Upstream | null, erased: boolean): WorkflowLineage {
  const gone = erased || (parent !== null && upstream?.latest === undefined);
  const published = upstream?.listed === true ? upstream : null;
  return {
    parentTemplateId: parent && !gone ? PlainId.format(parent.templateId) : null,
    parentTemplateVersion: parent && !gone ? parent.version : null,
    upstreamLatestVersion: published?.latest?.version ?? null,
    isUpstreamUnpublished: parent || gone ? published === null : null,
    isUpstreamGone: gone,
  };
}

/** As much of a template, or of what is left of an erased one. */
interface Upstream {
  listed?: true;
  latest?: { version: number };
}

@ObjectType({ description: 'A workflow that was found.' })
export class WorkflowHit {
  @Field(() => Float, { description: 'How well it fits; comparable within one answer only.' })
  score!: number;

  @Field(() => Workflow, { description: 'The workflow.' })
  workflow!: Workflow;
}

@ObjectType({ description: 'What a search for workflows found.' })
export class WorkflowSearchResult {
  @Field(() => [WorkflowHit], { description: 'The best first.' })
  hits!: WorkflowHit[];

  @Field(() => String, { description: 'What was looked for.' })
  query!: string;

  @Field(() => Int, { description: 'How many were asked for at most.' })
  limit!: number;

  @Field(() => SearchMode, { description: 'How they were ranked.' })
  searchMode!: SearchMode;
}

@InputType({ description: 'A file of a bundle, as text or as base64.' })
export class WorkflowFileInput {
  @Field(() => String, { description: 'Relative, with / between the parts.' })
  path!: string;

  @Field(() => String, { nullable: true, description: 'The file as text.' })
  content?: string | null;

  @Field(() => String, { nullable: true, description: 'The file as base64.' })
  contentBase64?: string | null;
}

@InputType({ description: 'A verifier that the body uses.' })
export class WorkflowVerifierInput {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, { description: 'Its id, which may end in `@version`, or `system:name`.' })
  verifierId!: string;

  @Field(() => Int, { nullable: true, description: 'A version; the newest when left out.' })
  version?: number | null;
}

@InputType({ description: 'An image generator that the body uses.' })
export class WorkflowImageGeneratorInput {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, { description: '`uuid`, `uuid@version` or `system:tier`.' })
  generatorRef!: string;
}

@InputType({
  description: 'A workflow to save. What is left out is taken from the body’s front matter, then from before.',
})
export class SaveWorkflowInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Which workflow this is a version of, when the slug does not say it.',
  })
  workflowId?: string | null;

  @Field(() => String, { nullable: true, description: 'Its name.' })
  name?: string | null;

  @Field(() => String, { description: 'The runbook in Markdown.' })
  body!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  description?: string | null;

  @Field(() => String, { nullable: true, description: 'What is true when it has been followed.' })
  outcome?: string | null;

  @Field(() => [String], { nullable: true, description: 'Words to find it by.' })
  tags?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Its name in addresses; made from the name when left out.' })
  slug?: string | null;

  @Field(() => [WorkflowFileInput], { nullable: true, description: 'Left out: as before; empty: none.' })
  files?: WorkflowFileInput[] | null;

  @Field(() => [WorkflowVerifierInput], { nullable: true, description: 'Left out: as before; empty: none.' })
  verifiers?: WorkflowVerifierInput[] | null;

  @Field(() => [WorkflowImageGeneratorInput], { nullable: true, description: 'Left out: as before; empty: none.' })
  imageGenerators?: WorkflowImageGeneratorInput[] | null;

  @Field(() => String, { nullable: true, description: 'The latest token; left out for a new workflow.' })
  expectedVersionToken?: string | null;

  @Field(() => String, { nullable: true, description: 'Where the save comes from.' })
  source?: string | null;
}

@ObjectType({ description: 'The saved workflow.' })
export class SaveWorkflowPayload {
  @Field(() => Workflow, { description: 'As it is now.' })
  workflow!: Workflow;
}

@InputType({ description: 'A workflow.' })
export class WorkflowInput {
  @Field(() => ID, { description: 'Its id or its slug.' })
  id!: string;
}

@ObjectType({ description: 'A workflow that was archived or taken out of the archive.' })
export class WorkflowStatusPayload {
  @Field(() => Workflow, { description: 'As it is now.' })
  workflow!: Workflow;
}

@ObjectType({ description: 'A workflow that is gone.' })
export class DeleteWorkflowPayload {
  @Field(() => ID, { description: 'Its id.' })
  workflowId!: string;

  @Field(() => String, { description: 'The name that it had.' })
  name!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

@InputType({ description: 'A version of a workflow.' })
export class DeleteWorkflowVersionInput {
  @Field(() => ID, { description: 'Id or slug of the workflow.' })
  id!: string;

  @Field(() => Int, { description: 'The version; not the current one.' })
  version!: number;
}

@ObjectType({ description: 'A version that is gone.' })
export class DeleteWorkflowVersionPayload {
  @Field(() => ID, { description: 'Id of the workflow.' })
  workflowId!: string;

  @Field(() => Int, { description: 'Number of the version; it is not given again.' })
  version!: number;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

@InputType({ description: 'A workflow, and whom its owner offers it to.' })
export class TransferWorkflowInput {
  @Field(() => ID, { description: 'Its id or its slug.' })
  id!: string;

  @Field(() => String, { description: 'Id, e-mail address or handle of the new owner.' })
  newOwner!: string;
}

@ObjectType({ description: 'An offer of a workflow.' })
export class TransferWorkflowPayload {
  @Field(() => Invitation, { description: 'What the new owner has to accept.' })
  invitation!: Invitation;

  @Field(() => Workflow, { description: 'The workflow, which stays where it is until then.' })
  workflow!: Workflow;

  @Field(() => Boolean, { description: 'Whether it has changed hands; false until the invitation is accepted.' })
  transferred!: boolean;
}

@InputType({ description: 'A version of a workflow to check.' })
export class CheckWorkflowSafetyInput {
  @Field(() => ID, { description: 'Id or slug of the workflow.' })
  id!: string;

  @Field(() => Int, { nullable: true, description: 'The version; the current one when left out.' })
  version?: number | null;
}

@ObjectType({ description: 'What the safety checks say of a version.' })
export class CheckWorkflowSafetyPayload {
  @Field(() => ID, { description: 'Id of the workflow.' })
  workflowId!: string;

  @Field(() => Int, { description: 'The version that was checked.' })
  version!: number;

  @Field(() => SafetyCheck, { description: 'What they said.' })
  check!: SafetyCheck;
}
