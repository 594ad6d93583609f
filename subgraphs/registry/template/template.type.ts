import { ArgsType, Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ConnectionArgs, connectionType } from '../../../platform/graph/connection.js';
import { PlainId, UserId, VerifierId } from '../../../platform/ids.js';
import { GenerationContract } from '../generator/generator.type.js';
import { Invitation } from '../invitation/invitation.type.js';
import { SafetyCheck } from '../safety/check.type.js';
import { SearchMode } from '../search/search.type.js';
import { User } from '../user/user.type.js';
import { VerifierContract } from '../verifier/verifier.type.js';
import { Workflow, WorkflowFile } from '../workflow/workflow.type.js';
import {
  type FrozenGenerator,
  type FrozenVerifier,
  SafetyStatus,
  type TemplateDocument,
  TemplateStatus,
  type TemplateVersionDocument,
} from './template.model.js';

registerEnumType(TemplateStatus, { name: 'TemplateStatus', description: 'Whether a template is in use or put away.' });
registerEnumType(SafetyStatus, {
  name: 'TemplateSafetyStatus',
  description: 'What the checks before publishing said. FLAGGED: a careful reader should look twice.',
});

export enum TemplateFilter {
  ALL = 'all',
  MINE = 'mine',
}
registerEnumType(TemplateFilter, { name: 'TemplateFilter', description: 'Everybody’s templates, or your own.' });

@ObjectType({ description: 'A verifier that a version of a template froze. How it judges is shown to nobody.' })
export class TemplateVerifier {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, { description: 'Its id, or `system:name`. It can be run while the version is published.' })
  verifierId!: string;

  @Field(() => Int, { nullable: true, description: 'The version that is frozen; null for one of the platform’s own.' })
  version!: number | null;

  @Field(() => VerifierContract, { nullable: true, description: 'What a run is given.' })
  inputContract!: VerifierContract | null;

  @Field(() => [String], { nullable: true, description: 'The names of the texts of a run.' })
  inputFields!: string[] | null;
}

@ObjectType({ description: 'An image generator that a version of a template froze.' })
export class TemplateImageGenerator {
  @Field(() => String, { description: 'How the body speaks of it.' })
  name!: string;

  @Field(() => String, {
    description: '`uuid@version`, or `system:tier`. It can be run while the version is published.',
  })
  generatorRef!: string;

  @Field(() => GenerationContract, { nullable: true, description: 'What a run is given; null for a tier.' })
  generationContract!: GenerationContract | null;
}

@ObjectType({ description: 'What one publish of a template fixed for good.' })
export class TemplateVersion {
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

  @Field(() => String, {
    description: 'The runbook, in Markdown. For others than its owner it begins with who published it.',
  })
  body!: string;

  @Field(() => [WorkflowFile], { description: 'Files beside the body.' })
  files!: WorkflowFile[];

  @Field(() => [TemplateVerifier], { description: 'Verifiers that the body uses.' })
  verifiers!: TemplateVerifier[];

  @Field(() => [TemplateImageGenerator], { description: 'Image generators that the body uses.' })
  imageGenerators!: TemplateImageGenerator[];

  @Field(() => String, { nullable: true, description: 'What was new in it.' })
  releaseNotes!: string | null;

  @Field(() => String, { description: 'The handle, without @, under which it was published.' })
  publishingHandle!: string;

  @Field(() => SafetyStatus, { description: 'What the checks before publishing said.' })
  safetyVerificationStatus!: SafetyStatus;

  @Field(() => String, { nullable: true, description: 'Why it was flagged; for its owner alone.' })
  advisoryReasoning!: string | null;

  @Field(() => Date, { description: 'When it was published.' })
  publishedAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was unpublished; null while it is live.' })
  unpublishedAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When it was deprecated.' })
  deprecatedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it was deprecated, and what to use instead.' })
  deprecationMessage!: string | null;
}

@ObjectType({
  description: 'A public runbook. `version` is the version that was asked for; the rest says what is current.',
})
@Directive('@key(fields: "id")')
export class Template {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => String, { description: 'Its name in addresses, unique for its owner.' })
  slug!: string;

  @Field(() => TemplateStatus, { description: 'In use, or put away.' })
  status!: TemplateStatus;

  @Field(() => String, { description: 'The name of its newest live version.' })
  name!: string;

  @Field(() => String, { description: 'What that version is for.' })
  description!: string;

  @Field(() => String, { description: 'What is true when that version has been followed.' })
  outcome!: string;

  @Field(() => [String], { description: 'Words to find it by.' })
  tags!: string[];

  @Field(() => Int, { description: 'The newest live version; the newest at all where none is live.' })
  latestVersion!: number;

  @Field(() => String, { description: 'The handle, without @, under which that version was published.' })
  publishingHandle!: string;

  @Field(() => SafetyStatus, { description: 'What the checks before publishing said of that version.' })
  safetyVerificationStatus!: SafetyStatus;

  @Field(() => Date, { description: 'When that version was published.' })
  publishedAt!: Date;

  @Field(() => User, { description: 'Whose template it is.' })
  owner!: User;

  /** Known already where it was asked for by it. */
  ownerHandle!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The handle that it was asked for by, where its owner gave that up for another; null otherwise.',
  })
  redirectedFromHandle!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it was put away; for its owner alone.' })
  archivedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it was put away; for its owner alone.' })
  archiveReason!: string | null;

  @Field(() => Date, { description: 'When it was first published.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When something about it last changed.' })
  updatedAt!: Date;

  /** For the resolvers of its fields. */
  ownerId!: string;

  uuid!: string;

  /** The version that was asked for; undefined when none was. */
  content?: TemplateVersionDocument;
}

export const TemplateConnection = connectionType('Template', () => Template);
export const TemplateVersionConnection = connectionType('TemplateVersion', () => TemplateVersion);

export interface TemplateViewOptions {
  own: boolean;
  content?: TemplateVersionDocument;
  handle?: string | null;
  redirectedFrom?: string | null;
}

export function templateView(
  { _id, ownerId, latest, ...template }: TemplateDocument,
  { own, content, handle = null, redirectedFrom = null }: TemplateViewOptions,
): Template {
  const { slug, status, archivedAt, archiveReason, createdAt, updatedAt } = template;
  const { name, description, outcome, tags, version, publishingHandle, safetyStatus, publishedAt } = latest;
  return {
    id: PlainId.format(_id),
    uuid: _id,
    ownerId,
    slug,
    status,
    name,
    description,
    outcome,
    tags,
    latestVersion: version,
    publishingHandle,
    safetyVerificationStatus: safetyStatus,
    publishedAt,
    owner: { id: UserId.format(ownerId) },
    ownerHandle: handle,
    redirectedFromHandle: redirectedFrom,
    archivedAt: own ? archivedAt : null,
    archiveReason: own ? archiveReason : null,
    createdAt,
    updatedAt,
    ...(content && { content }),
  };
}

/** Whose text it is, and what the checks said: nothing that the text itself could have put there. */
export function banner({ publishingHandle, safetyStatus }: TemplateVersionDocument): string {
  return `> Template published by @${publishingHandle}. Safety status: ${safetyStatus}.\n\n`;
}

export function templateVersionView(content: TemplateVersionDocument, own: boolean, live: boolean): TemplateVersion {
  const { version, name, description, outcome, tags, files, releaseNotes, publishingHandle } = content;
  const { safetyStatus, publishedAt, unpublishedAt, deprecatedAt, deprecationMessage } = content;
  return {
    version,
    name,
    description,
    outcome,
    tags,
    body: own ? content.body : banner(content) + content.body,
    files,
    verifiers: content.verifiers.map(verifierView),
    imageGenerators: content.imageGenerators.map(generatorView),
    releaseNotes,
    publishingHandle,
    safetyVerificationStatus: safetyStatus,
    advisoryReasoning: own ? content.advisoryReasoning : null,
    publishedAt,
    unpublishedAt: live ? null : unpublishedAt,
    deprecatedAt,
    deprecationMessage,
  };
}

function verifierView({ name, verifierId, version, contract }: FrozenVerifier): TemplateVerifier {
  return {
    name,
    verifierId: version === null ? verifierId : VerifierId.format(verifierId),
    version,
    inputContract: contract && (contract.inputContract as VerifierContract),
    inputFields: contract?.inputFields ?? null,
  };
}

function generatorView({ name, generatorRef, contract }: FrozenGenerator): TemplateImageGenerator {
  return { name, generatorRef, generationContract: contract as GenerationContract | null };
}

@ArgsType()
export class TemplateListArgs extends ConnectionArgs {
  @Field(() => TemplateFilter, { nullable: true, description: 'Whose; everybody’s when left out.' })
  filter?: TemplateFilter | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only templates that hold all of these words, or words that begin so.',
  })
  search?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Your own archived ones too.' })
  includeArchived?: boolean | null;
}

@InputType({ description: 'A workflow to publish.' })
export class PublishTemplateInput {
  @Field(() => ID, { description: 'Id of one of your workflows, or its slug.' })
  workflowId!: string;

  @Field(() => String, { nullable: true, description: 'What is new in this version.' })
  releaseNotes?: string | null;
}

@ObjectType({ description: 'A version that was published.' })
export class PublishTemplatePayload {
  @Field(() => Template, { description: 'The template at the new version.' })
  template!: Template;

  @Field(() => SafetyCheck, { description: 'What the checks before publishing said.' })
  safetyVerification!: SafetyCheck;
}

@InputType({ description: 'A version of a template to fork.' })
export class ForkTemplateInput {
  @Field(() => ID, { description: 'Id, `@handle/slug` or `@handle/slug@vN`.' })
  identifier!: string;

  @Field(() => Int, { nullable: true, description: 'A version; the newest that is published when left out.' })
  version?: number | null;

  @Field(() => String, { nullable: true, description: 'What the workflow is to be called.' })
  name?: string | null;
}

@ObjectType({ description: 'A file of a fork that is not stored, with its bytes.' })
export class EphemeralFile extends WorkflowFile {
  @Field(() => String, { nullable: true, description: 'The bytes as text; null when they are none.' })
  content!: string | null;

  @Field(() => String, { nullable: true, description: 'The bytes as base64; null when they are text.' })
  contentBase64!: string | null;
}

@ObjectType({ description: 'A fork. Without an account it is not stored, and is here as a whole.' })
export class ForkTemplatePayload {
  @Field(() => Boolean, { description: 'Whether it is not stored.' })
  ephemeral!: boolean;

  @Field(() => Workflow, { nullable: true, description: 'The workflow; null when it is not stored.' })
  workflow!: Workflow | null;

  @Field(() => String, { description: 'The name of the workflow.' })
  name!: string;

  @Field(() => String, { description: 'Its slug.' })
  slug!: string;

  @Field(() => Template, { description: 'What was forked, at the version that was.' })
  template!: Template;

  @Field(() => String, { nullable: true, description: 'The runbook as it was published; null when it is stored.' })
  body!: string | null;

  @Field(() => String, { nullable: true, description: 'Set when the version that was forked is deprecated.' })
  deprecationWarning!: string | null;

  @Field(() => Boolean, { description: 'Whether the template was named by a handle that its owner gave up.' })
  redirected!: boolean;

  @Field(() => String, { nullable: true, description: 'That handle.' })
  redirectedFromHandle!: string | null;

  @Field(() => String, { nullable: true, description: 'The owner’s handle now.' })
  redirectedToHandle!: string | null;

  source!: TemplateVersionDocument;
}

@InputType({ description: 'A version of a template.' })
export class TemplateVersionInput {
  @Field(() => ID, { description: 'Id or `@handle/slug` of the template.' })
  identifier!: string;

  @Field(() => Int, { description: 'Number of the version.' })
  version!: number;
}

@ObjectType({ description: 'A version that is no longer published.' })
export class UnpublishTemplateVersionPayload {
  @Field(() => ID, { description: 'Id of the template.' })
  templateId!: string;

  @Field(() => Int, { description: 'Number of the version.' })
  version!: number;

  @Field(() => Boolean, { description: 'Always true.' })
  unpublished!: boolean;
}

@ObjectType({ description: 'A version that is gone.' })
export class DeleteTemplateVersionPayload {
  @Field(() => ID, { description: 'Id of the template.' })
  templateId!: string;

  @Field(() => Int, { description: 'Number of the version; it is not given again.' })
  version!: number;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

@InputType({ description: 'A version of a template that should no longer be used.' })
export class DeprecateTemplateVersionInput extends TemplateVersionInput {
  @Field(() => String, { description: 'Why, and what to use instead. Shown to whoever reads or forks it.' })
  message!: string;
}

@ObjectType({ description: 'A deprecated version.' })
export class DeprecateTemplateVersionPayload {
  @Field(() => ID, { description: 'Id of the template.' })
  templateId!: string;

  @Field(() => TemplateVersion, { description: 'The version.' })
  version!: TemplateVersion;
}

@InputType({ description: 'A template.' })
export class TemplateInput {
  @Field(() => ID, { description: 'Its id, or `@handle/slug`.' })
  identifier!: string;
}

@InputType({ description: 'A template to put away.' })
export class ArchiveTemplateInput extends TemplateInput {
  @Field(() => String, { nullable: true, description: 'Why, for yourself.' })
  archiveReason?: string | null;
}

@ObjectType({ description: 'A template that was archived or taken out of the archive.' })
export class TemplateStatusPayload {
  @Field(() => Template, { description: 'As it is now.' })
  template!: Template;
}

@ObjectType({ description: 'A template that is gone, with all of its versions.' })
export class DeleteTemplatePayload {
  @Field(() => ID, { description: 'Its id.' })
  templateId!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

@InputType({ description: 'A template to check. Both checks are charged to whoever asks.' })
export class CheckTemplateSafetyInput extends TemplateInput {
  @Field(() => Int, { nullable: true, description: 'A version; the newest that is published when left out.' })
  version?: number | null;
}

@ObjectType({ description: 'What the safety checks said.' })
export class CheckTemplateSafetyPayload {
  @Field(() => ID, { description: 'Id of the template.' })
  templateId!: string;

  @Field(() => Int, { description: 'The version that was checked.' })
  version!: number;

  @Field(() => SafetyCheck, { description: 'What they said.' })
  check!: SafetyCheck;
}

@ObjectType({ description: 'A template that was found.' })
export class TemplateHit {
  @Field(() => Float, { description: 'How well it fits; comparable within one answer only.' })
  score!: number;

  @Field(() => Template, { description: 'The template.' })
  template!: Template;
}

@ObjectType({ description: 'What a search for templates found.' })
export class TemplateSearchResult {
  @Field(() => [TemplateHit], { description: 'The best first.' })
  hits!: TemplateHit[];

  @Field(() => String, { description: 'What was looked for.' })
  query!: string;

  @Field(() => Int, { description: 'How many were asked for at most.' })
  limit!: number;

  @Field(() => SearchMode, { description: 'How they were ranked.' })
  searchMode!: SearchMode;
}

@InputType({ description: 'A template, and whom its owner offers it to.' })
export class TransferTemplateInput {
  @Field(() => ID, { description: 'Its id, or `@handle/slug`.' })
  identifier!: string;

  @Field(() => String, { description: 'Id, e-mail address or handle of the new owner.' })
  newOwner!: string;
}

@ObjectType({ description: 'An offer of a template.' })
export class TransferTemplatePayload {
  @Field(() => Invitation, { description: 'What the new owner has to accept.' })
  invitation!: Invitation;

  @Field(() => Template, { description: 'The template, which stays where it is until then.' })
  template!: Template;

  @Field(() => Boolean, { description: 'Whether it has changed hands; false until the invitation is accepted.' })
  transferred!: boolean;
}
