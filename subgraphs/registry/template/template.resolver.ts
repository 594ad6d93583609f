import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import { decodeCursor, encodeCursor, pageOf, pageSize } from '../../../platform/mongo/page.js';
import type { RegistryContext } from '../context.js';
import { safetyCheckView } from '../safety/check.type.js';
import { SearchMode } from '../search/search.type.js';
import { OWNER } from '../workflow/workflow.access.js';
import { workflowView } from '../workflow/workflow.type.js';
import { isOwner, mayRead } from './template.access.js';
import type { TemplateDocument, TemplateVersionDocument } from './template.model.js';
import type { OpenTemplate } from './template.service.js';
import {
  ArchiveTemplateInput,
  CheckTemplateSafetyInput,
  CheckTemplateSafetyPayload,
  DeleteTemplatePayload,
  DeleteTemplateVersionPayload,
  DeprecateTemplateVersionInput,
  DeprecateTemplateVersionPayload,
  EphemeralFile,
  ForkTemplateInput,
  ForkTemplatePayload,
  PublishTemplateInput,
  PublishTemplatePayload,
  Template,
  TemplateConnection,
  TemplateFilter,
  TemplateInput,
  TemplateListArgs,
  TemplateSearchResult,
  TemplateStatusPayload,
  TemplateVersion,
  TemplateVersionConnection,
  TemplateVersionInput,
  TransferTemplateInput,
  TransferTemplatePayload,
  templateVersionView,
  templateView,
  UnpublishTemplateVersionPayload,
} from './template.type.js';

function openView(
  scope: RegistryContext['scope'],
  { template, content, handle, redirectedFrom }: OpenTemplate,
): Template {
  return templateView(template, {
    own: isOwner(scope, template),
    content,
    handle,
    redirectedFrom,
  });
}

@Resolver(() => Template)
export class TemplateResolver {
  @Query(() => Template, { nullable: true, description: 'A template, for anybody, at one of its versions.' })
  async template(
    @Arg('identifier', () => ID, { description: 'Its id, `@handle/slug` or `@handle/slug@vN`.' }) identifier: string,
    @Arg('version', () => Int, { nullable: true, description: 'The version; the newest live one when left out.' })
    version: number | null,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<Template> {
    return openView(scope, await templates.open(scope, identifier, version ?? null));
  }

  @Query(() => TemplateConnection, { nullable: true, description: 'Templates with a live version, newest first.' })
  async templates(
    @Args(() => TemplateListArgs) { filter, search, includeArchived, first, after }: TemplateListArgs,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<Connection<Template>> {
    const list = { mine: filter === TemplateFilter.MINE, search: search ?? null, includeArchived };
    const page = await templates.list(scope, list, { first, after });
    return toConnection(page, (template) => templateView(template, { own: isOwner(scope, template) }));
  }

  @Query(() => TemplateSearchResult, {
    nullable: true,
    description: 'Finds templates with a live version by what they are for. For anybody.',
  })
  async searchTemplates(
    @Arg('query', () => String, { description: 'What you are looking for, in your own words.' }) query: string,
    @Arg('limit', () => Int, { nullable: true, description: 'How many at most, 1 to 50; 10 when left out.' })
    limit: number | null,
    @Ctx() { scope, templateSearch }: RegistryContext,
  ): Promise<TemplateSearchResult> {
    const { query: read, hits } = await templateSearch.find({ query, limit });
    return {
      hits: hits.map(({ score, template }) => ({
        score,
        template: templateView(template, { own: isOwner(scope, template) }),
      })),
      query: read.query,
      limit: read.limit,
      searchMode: SearchMode.SEMANTIC,
    };
  }

  @Mutation(() => PublishTemplatePayload, {
    nullable: true,
    description: 'Publishes a workflow: a new template, or its next version. Checked before anything is written.',
  })
  async publishTemplate(
    @Arg('input', () => PublishTemplateInput, { description: 'What to publish.' })
    { workflowId, releaseNotes }: PublishTemplateInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<PublishTemplatePayload> {
    const given = { workflow_id: workflowId, release_notes: releaseNotes };
    const { template, content, report } = await templates.publish(scope, given);
    return {
      template: templateView(template, { own: true, content }),
      safetyVerification: safetyCheckView(report, true),
    };
  }

  @Mutation(() => ForkTemplatePayload, {
    nullable: true,
    description: 'Makes a private workflow of a template; without an account, one that is not stored.',
  })
  async forkTemplate(
    @Arg('input', () => ForkTemplateInput, { description: 'What to fork.' }) input: ForkTemplateInput,
    @Ctx() { scope, forks }: RegistryContext,
  ): Promise<ForkTemplatePayload> {
    const { source, name, slug, workflow } = await forks.fork(scope, input);
    const { content, handle, redirectedFrom } = source;
    return {
      ephemeral: workflow === null,
      workflow: workflow && workflowView(workflow, workflow.current, OWNER),
      name,
      slug,
      template: openView(scope, source),
      body: workflow ? null : content.body,
      deprecationWarning: content.deprecationMessage && `This version is deprecated: ${content.deprecationMessage}`,
      redirected: redirectedFrom !== null,
      redirectedFromHandle: redirectedFrom,
      redirectedToHandle: redirectedFrom && handle,
      source: content,
    };
  }

  @Mutation(() => UnpublishTemplateVersionPayload, {
    nullable: true,
    description: 'Takes a version out of service. Forks of it stay.',
  })
  async unpublishTemplateVersion(
    @Arg('input', () => TemplateVersionInput, { description: 'The version.' })
    { identifier, version }: TemplateVersionInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<UnpublishTemplateVersionPayload> {
    const { _id } = await templates.unpublish(scope, identifier, version);
    return { templateId: PlainId.format(_id), version, unpublished: true };
  }

  @Mutation(() => DeleteTemplateVersionPayload, {
    nullable: true,
    description: 'Erases a version that is not published, for good.',
  })
  async deleteTemplateVersion(
    @Arg('input', () => TemplateVersionInput, { description: 'The version.' })
    { identifier, version }: TemplateVersionInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<DeleteTemplateVersionPayload> {
    const { _id } = await templates.eraseVersion(scope, identifier, version);
    return { templateId: PlainId.format(_id), version, deleted: true };
  }

  @Mutation(() => DeprecateTemplateVersionPayload, {
    nullable: true,
    description: 'Says that a version should no longer be used. It is served as before.',
  })
  async deprecateTemplateVersion(
    @Arg('input', () => DeprecateTemplateVersionInput, { description: 'The version, and why.' })
    { identifier, version, message }: DeprecateTemplateVersionInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<DeprecateTemplateVersionPayload> {
    const { template, content } = await templates.deprecate(scope, identifier, version, { message });
    return { templateId: PlainId.format(template._id), version: versionView(content, template, true) };
  }

  @Mutation(() => TemplateStatusPayload, {
    nullable: true,
    description: 'Puts a template away: others no longer find it. It can be brought back.',
  })
  async archiveTemplate(
    @Arg('input', () => ArchiveTemplateInput, { description: 'The template.' })
    { identifier, archiveReason }: ArchiveTemplateInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<TemplateStatusPayload> {
    const template = await templates.archive(scope, identifier, { archive_reason: archiveReason });
    return { template: templateView(template, { own: true }) };
  }

  @Mutation(() => TemplateStatusPayload, { nullable: true, description: 'Brings an archived template back.' })
  async unarchiveTemplate(
    @Arg('input', () => TemplateInput, { description: 'The template.' }) { identifier }: TemplateInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<TemplateStatusPayload> {
    return { template: templateView(await templates.unarchive(scope, identifier), { own: true }) };
  }

  @Mutation(() => DeleteTemplatePayload, {
    nullable: true,
    description: 'Erases a template that is archived or has no live version, for good and at once. Forks stay.',
  })
  async deleteTemplate(
    @Arg('input', () => TemplateInput, { description: 'The template.' }) { identifier }: TemplateInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<DeleteTemplatePayload> {
    const { _id } = await templates.erase(scope, identifier);
    return { templateId: PlainId.format(_id), deleted: true };
  }

  @Mutation(() => CheckTemplateSafetyPayload, {
    nullable: true,
    description: 'Runs both safety checks on a version. Each is charged as a run of a verifier.',
  })
  async checkTemplateSafety(
    @Arg('input', () => CheckTemplateSafetyInput, { description: 'What to check.' })
    { identifier, version }: CheckTemplateSafetyInput,
    @Ctx() { scope, templates }: RegistryContext,
  ): Promise<CheckTemplateSafetyPayload> {
    const { template, content, report } = await templates.check(scope, identifier, version ?? null);
    return {
      templateId: PlainId.format(template._id),
      version: content.version,
      check: safetyCheckView(report, isOwner(scope, template)),
    };
  }

  @Mutation(() => TransferTemplatePayload, {
    nullable: true,
    description: 'Offers a template to a new owner, who has it by accepting the invitation.',
  })
  async transferTemplateOwnership(
    @Arg('input', () => TransferTemplateInput, { description: 'What is offered to whom.' })
    { identifier, newOwner }: TransferTemplateInput,
    @Ctx() { scope, templates, accounts }: RegistryContext,
  ): Promise<TransferTemplatePayload> {
    const template = await templates.owned(scope, identifier);
    const { _id, ownerId, slug } = template;
    const offer = { thing: { kind: 'template', id: _id } as const, slug, ownerId, newOwner };
    return {
      invitation: { id: await accounts.offerOwnership(offer, scope.requestId) },
      template: templateView(template, { own: true }),
      transferred: false,
    };
  }

  @FieldResolver(() => String, { nullable: true, description: 'The handle, without @, that its owner has now.' })
  async handle(
    @Root() { ownerHandle, ownerId }: Template,
    @Ctx() { principalNames }: RegistryContext,
  ): Promise<string | null> {
    if (ownerHandle !== null) return ownerHandle;
    const name = await principalNames.load({ type: 'USER', id: ownerId });
    return name.startsWith('@') ? name.slice(1) : null;
  }

  @FieldResolver(() => TemplateVersion, {
    nullable: true,
    description: 'The version that was asked for; the newest live one otherwise. Null when the template has none.',
  })
  async version(
    @Root() { content, uuid, ownerId }: Template,
    @Ctx() { scope, templateLoader, templateContentLoader }: RegistryContext,
  ): Promise<TemplateVersion | null> {
    const template = await templateLoader.load(uuid);
    const wanted = content ?? (template && (await templateContentLoader.load(template.latest.contentId)));
    return wanted ? versionView(wanted, template, isOwner(scope, { ownerId })) : null;
  }

  @FieldResolver(() => TemplateVersionConnection, {
    description: 'Its versions, newest first; those that are not live for its owner alone.',
  })
  async versions(
    @Root() { uuid, ownerId }: Template,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, templates, templateLoader }: RegistryContext,
  ): Promise<Connection<TemplateVersion>> {
    const size = pageSize(page);
    const below = page.after ? readCursor(page.after) : null;
    const template = await templateLoader.load(uuid);
    const found = template ? await templates.versions(scope, template, ownerId, size + 1, below) : [];
    return toConnection(
      pageOf(found, size, ({ version }) => encodeCursor(String(version))),
      (content) => versionView(content, template, isOwner(scope, { ownerId })),
    );
  }
}

function versionView(content: TemplateVersionDocument, template: TemplateDocument | null, own: boolean) {
  const live = template?.live.some(({ contentId }) => contentId === content._id) ?? false;
  return templateVersionView(content, own, live);
}

@Resolver(() => ForkTemplatePayload)
export class ForkTemplateResolver {
  /** Read when they are asked for: who stores the fork has them there. */
  @FieldResolver(() => [EphemeralFile], { nullable: true, description: 'The files; null when it is stored.' })
  async files(
    @Root() { ephemeral, template, source }: ForkTemplatePayload,
    @Ctx() { templateBundles }: RegistryContext,
  ): Promise<EphemeralFile[] | null> {
    if (!ephemeral) return null;
    const read = await templateBundles.readAll(template.uuid, source.files);
    return source.files.map((file, i) => ({ ...file, ...contentsOf(read[i]?.bytes ?? Buffer.alloc(0)) }));
  }

  @FieldResolver(() => TemplateVersion, { description: 'The version that was forked.' })
  version(@Root() { source, template }: ForkTemplatePayload, @Ctx() { scope }: RegistryContext): TemplateVersion {
    return templateVersionView(source, isOwner(scope, template), true);
  }
}

/** Text where the bytes are text. */
function contentsOf(bytes: Buffer): Pick<EphemeralFile, 'content' | 'contentBase64'> {
  try {
    const content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { content, contentBase64: null };
  } catch {
    return { content: null, contentBase64: bytes.toString('base64') };
  }
}

function readCursor(cursor: string): number {
  const version = Number(decodeCursor(cursor));
  if (!Number.isSafeInteger(version)) throw Problem.invalid('cursor', 'is not a cursor of this list');
  return version;
}

export async function referencedTemplate(
  id: string,
  { scope, templateLoader }: RegistryContext,
): Promise<Template | null> {
  const uuid = PlainId.parse(id);
  const template = uuid === null ? null : await templateLoader.load(uuid);
  return template && mayRead(scope, template) ? templateView(template, { own: isOwner(scope, template) }) : null;
}
