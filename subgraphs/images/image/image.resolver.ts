import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { type Connection, toConnection } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { ImagesContext } from '../context.js';
import { User } from '../user/user.type.js';
import {
  DeleteImageInput,
  DeleteImagePayload,
  Image,
  ImageConnection,
  ImageListArgs,
  imageView,
  UpdateImageInput,
  UpdateImagePayload,
} from './image.type.js';

async function connection({ images, publicUrl }: ImagesContext, ownerId: string, list: ImageListArgs) {
  return toConnection(await images.list(ownerId, list), (image) => imageView(publicUrl, image));
}

@Resolver(() => Image)
export class ImageResolver {
  @Query(() => Image, { nullable: true, description: 'One of your hosted images.' })
  async image(
    @Arg('id', () => ID, { description: 'The management id.' }) id: string,
    @Ctx() context: ImagesContext,
  ): Promise<Image> {
    requireCaller(context.scope);
    const image = await referencedImage(id, context);
    if (!image) throw new Problem('image_not_found');
    return image;
  }

  @Query(() => ImageConnection, { nullable: true, description: 'Your hosted images, newest first.' })
  async images(
    @Args(() => ImageListArgs) list: ImageListArgs,
    @Ctx() context: ImagesContext,
  ): Promise<Connection<Image>> {
    return connection(context, requireCaller(context.scope).userId, list);
  }

  @Mutation(() => UpdateImagePayload, {
    nullable: true,
    description: 'Changes who may fetch an image, or when it ends. Only what is passed changes; the url never does.',
  })
  async updateImage(
    @Arg('input', () => UpdateImageInput, { description: 'The changes.' }) { id, ...changes }: UpdateImageInput,
    @Ctx() { scope, images, imageLoader, publicUrl }: ImagesContext,
  ): Promise<UpdateImagePayload> {
    const image = await images.update(requireCaller(scope), id, changes);
    imageLoader.clear(image._id);
    return { image: imageView(publicUrl, image) };
  }

  @Mutation(() => DeleteImagePayload, {
    nullable: true,
    description: 'Deletes an image. Its url stops resolving at once, and there is no way back.',
  })
  async deleteImage(
    @Arg('input', () => DeleteImageInput, { description: 'The image to delete.' }) { id }: DeleteImageInput,
    @Ctx() { scope, images, imageLoader }: ImagesContext,
  ): Promise<DeleteImagePayload> {
    const deleted = await images.delete(requireCaller(scope), id);
    imageLoader.clear(deleted);
    return { id: PlainId.format(deleted), deleted: true };
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
  async images(
    @Root() user: User,
    @Args(() => ImageListArgs) list: ImageListArgs,
    @Ctx() context: ImagesContext,
  ): Promise<Connection<Image> | null> {
    const { caller } = context.scope;
    return caller && UserId.parse(user.id) === caller.userId ? connection(context, caller.userId, list) : null;
  }
}
