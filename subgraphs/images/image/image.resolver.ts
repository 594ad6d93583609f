import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { UserId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { ImagesContext } from '../context.js';
import { User } from '../user/user.type.js';
import { Image, ImageConnection, imageView } from './image.type.js';

async function connection(context: ImagesContext, ownerId: string, page: ConnectionArgs): Promise<Connection<Image>> {
  return toConnection(await context.images.list(ownerId, {}, page), (image) => imageView(context.publicUrl, image));
}

@Resolver(() => Image)
export class ImageResolver {
  @Query(() => Image, { nullable: true, description: 'One of your hosted images; null when there is none such.' })
  async image(
    @Arg('id', () => ID, { description: 'The management id.' }) id: string,
    @Ctx() context: ImagesContext,
  ): Promise<Image | null> {
    requireCaller(context.scope);
    return referencedImage(id, context);
  }

  @Query(() => ImageConnection, { nullable: true, description: 'Your hosted images, newest first.' })
  async images(@Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() context: ImagesContext) {
    return connection(context, requireCaller(context.scope).userId, page);
  }
}

export async function referencedImage(id: string, context: ImagesContext): Promise<Image | null> {
  const image = await context.images.find(id, context.imageLoader, context.scope);
  return image && imageView(context.publicUrl, image);
}

@Resolver(() => User)
export class UserImagesResolver {
  @FieldResolver(() => ImageConnection, {
    nullable: true,
    description: 'Hosted images of this user, newest first; null for anyone but yourself.',
  })
  async images(@Root() user: User, @Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() context: ImagesContext) {
    const { caller } = context.scope;
    return caller && UserId.parse(user.id) === caller.userId ? connection(context, caller.userId, page) : null;
  }
}
