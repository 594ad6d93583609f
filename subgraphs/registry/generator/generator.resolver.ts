import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { type GenerationRun, GenerationRunConnection, runView } from '../run/run.type.js';
import { User } from '../user/user.type.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import {
  DeleteImageGeneratorInput,
  DeleteImageGeneratorPayload,
  DeployImageGeneratorInput,
  DeployImageGeneratorPayload,
  generatorView,
  ImageGenerator,
  ImageGeneratorConnection,
  type ImageGeneratorVersion,
  ImageGeneratorVersionConnection,
  RevokeImageGeneratorInput,
  RevokeImageGeneratorPayload,
  versionView,
} from './generator.type.js';

type Generators = Promise<Connection<ImageGenerator>>;

async function connection({ versions }: RegistryContext, ownerId: string, page: ConnectionArgs): Generators {
  return toConnection(await versions.generators.list(ownerId, page), (generator) => generatorView(generator));
}

@Resolver(() => ImageGenerator)
export class GeneratorResolver {
  @Query(() => ImageGenerator, { nullable: true, description: 'One of your generators, at one of its versions.' })
  async imageGenerator(
    @Arg('id', () => ID, { description: 'Id of the generator, or `id@version`.' }) id: string,
    @Arg('version', () => Int, { nullable: true, description: 'The version; the current one when left out.' })
    version: number | null,
    @Ctx() { scope, generators, generatorLoader }: RegistryContext,
  ): Promise<ImageGenerator> {
    const found = await generators.find(scope, id, version ?? null, generatorLoader);
    return generatorView(found.generator, found.version);
  }

  @Query(() => ImageGeneratorConnection, { nullable: true, description: 'Your active generators, newest first.' })
  async imageGenerators(@Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() context: RegistryContext) {
    return connection(context, requireCaller(context.scope).userId, page);
  }

  @Mutation(() => DeployImageGeneratorPayload, {
    nullable: true,
    description: 'Makes a generator, or the next version of one. A model without a price is refused.',
  })
  async deployImageGenerator(
    @Arg('input', () => DeployImageGeneratorInput, { description: 'What to deploy.' }) input: DeployImageGeneratorInput,
    @Ctx() { scope, generators, generatorLoader }: RegistryContext,
  ): Promise<DeployImageGeneratorPayload> {
    const generator = await generators.deploy(scope, {
      name: input.name,
      description: input.description,
      model: input.model,
      generation_contract: input.generationContract,
      default_params: input.defaultParams,
      expected_version_token: input.expectedVersionToken,
    });
    generatorLoader.clear(generator._id);
    return { generator: generatorView(generator) };
  }

  @Mutation(() => RevokeImageGeneratorPayload, {
    nullable: true,
    description: 'Takes a generator out of use for good. Its runs are kept, and its name stays taken.',
  })
  async revokeImageGenerator(
    @Arg('input', () => RevokeImageGeneratorInput, { description: 'The generator.' }) { id }: RevokeImageGeneratorInput,
    @Ctx() { scope, generators, versions, generatorLoader }: RegistryContext,
  ): Promise<RevokeImageGeneratorPayload> {
    const { userId } = requireCaller(scope);
    const uuid = generators.idOf(id);
    await versions.generators.revoke(userId, uuid);
    generatorLoader.clear(uuid);
    return { generatorId: PlainId.format(uuid), status: VersionedStatus.REVOKED };
  }

  @Mutation(() => DeleteImageGeneratorPayload, {
    nullable: true,
    description: 'Erases a generator with its versions and runs, for good and at once.',
  })
  async deleteImageGenerator(
    @Arg('input', () => DeleteImageGeneratorInput, { description: 'The generator.' }) { id }: DeleteImageGeneratorInput,
    @Ctx() { scope, generators, versions, generatorLoader }: RegistryContext,
  ): Promise<DeleteImageGeneratorPayload> {
    const { userId } = requireCaller(scope);
    const uuid = generators.idOf(id);
    await versions.generators.erase(userId, uuid);
    generatorLoader.clear(uuid);
    return { generatorId: PlainId.format(uuid), deleted: true };
  }

  @FieldResolver(() => ImageGeneratorVersionConnection, { description: 'Its versions, newest first.' })
  async versions(
    @Root() { id }: ImageGenerator,
    @Args(() => ConnectionArgs) { first, after }: ConnectionArgs,
    @Ctx() { versionPages }: RegistryContext,
  ): Promise<Connection<ImageGeneratorVersion>> {
    return toConnection(await versionPages.load({ ownerId: id, first, after }), versionView);
  }

  @FieldResolver(() => GenerationRunConnection, { description: 'Its runs, newest first.' })
  async runs(
    @Root() { id }: ImageGenerator,
    @Args(() => ConnectionArgs) { first, after }: ConnectionArgs,
    @Ctx() { runPages }: RegistryContext,
  ): Promise<Connection<GenerationRun>> {
    return toConnection(await runPages.load({ ownerId: id, first, after }), runView);
  }
}

/** Only one's own, and only while it can be used. */
export async function referencedGenerator(id: string, context: RegistryContext): Promise<ImageGenerator | null> {
  const uuid = PlainId.parse(id);
  const generator = uuid === null || !context.scope.caller ? null : await context.generatorLoader.load(uuid);
  const visible = generator?.ownerId === context.scope.caller?.userId && generator?.status === VersionedStatus.ACTIVE;
  return visible && generator ? generatorView(generator) : null;
}

@Resolver(() => User)
export class UserGeneratorsResolver {
  @FieldResolver(() => ImageGeneratorConnection, {
    nullable: true,
    description: 'Active generators of this user, newest first; null for anyone but yourself.',
  })
  async generators(
    @Root() user: User,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() context: RegistryContext,
  ): Promise<Connection<ImageGenerator> | null> {
    const { caller } = context.scope;
    return caller && UserId.parse(user.id) === caller.userId ? connection(context, caller.userId, page) : null;
  }
}
