import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { UserId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { User } from '../user/user.type.js';
import { generatorView, ImageGenerator, ImageGeneratorConnection } from './generator.type.js';

type Generators = Promise<Connection<ImageGenerator>>;

async function connection(context: RegistryContext, ownerId: string, page: ConnectionArgs): Generators {
  return toConnection(await context.generators.list(ownerId, page), generatorView);
}

@Resolver(() => ImageGenerator)
export class GeneratorResolver {
  @Query(() => ImageGenerator, { nullable: true, description: 'One of your generators; null when there is none such.' })
  async imageGenerator(
    @Arg('id', () => ID, { description: 'Id of the generator.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<ImageGenerator | null> {
    requireCaller(context.scope);
    return referencedGenerator(id, context);
  }

  @Query(() => ImageGeneratorConnection, { nullable: true, description: 'Your active generators, newest first.' })
  async imageGenerators(@Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() context: RegistryContext) {
    return connection(context, requireCaller(context.scope).userId, page);
  }
}

export async function referencedGenerator(id: string, context: RegistryContext): Promise<ImageGenerator | null> {
  const generator = await context.generators.find(id, context.generatorLoader, context.scope);
  return generator && generatorView(generator);
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
