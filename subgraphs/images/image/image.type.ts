import { ArgsType, Directive, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ConnectionArgs, connectionType } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import type { HostedImage } from '../client.js';
import { User } from '../user/user.type.js';
import { hostedImage } from './hosted-image.js';
import type { LiveImage } from './image.model.js';

export enum ImageVisibility {
  PUBLIC = 'public',
  PRIVATE = 'private',
}
registerEnumType(ImageVisibility, { name: 'ImageVisibility', description: 'Who may fetch the bytes of an image.' });

export enum ImageSource {
  UPLOAD = 'upload',
  GENERATED = 'generated',
}
registerEnumType(ImageSource, { name: 'ImageSource', description: 'How an image came to be hosted.' });

@ObjectType({ description: 'A hosted image. Its bytes are at `url`.' })
@Directive('@key(fields: "id")')
export class Image {
  @Field(() => ID, { description: 'The management id.' })
  id!: string;

  @Field(() => String, { description: 'The unguessable part of the url.' })
  token!: string;

  @Field(() => String, { description: 'Where the bytes are; it never changes.' })
  url!: string;

  @Field(() => ImageVisibility, { description: 'Who may fetch the bytes.' })
  visibility!: ImageVisibility;

  @Field(() => ImageSource, { description: 'Uploaded or generated.' })
  source!: ImageSource;

  @Field(() => String, { description: 'Media type of the bytes.' })
  contentType!: string;

  @Field(() => Int, { description: 'Size of the bytes.' })
  sizeBytes!: number;

  @Field(() => Int, { description: 'Width in pixels.' })
  width!: number;

  @Field(() => Int, { description: 'Height in pixels.' })
  height!: number;

  @Field(() => Date, { description: 'When it was stored.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it stops resolving; null when it stays.' })
  expiresAt!: Date | null;

  @Field(() => User, { nullable: true, description: 'Whose image it is; null when it is nobody’s.' })
  owner!: User | null;
}

export const ImageConnection = connectionType('Image', () => Image);

@ArgsType()
export class ImageListArgs extends ConnectionArgs {
  @Field(() => ImageSource, { nullable: true, description: 'Only uploaded or only generated ones.' })
  source?: ImageSource | null;

  @Field(() => ImageVisibility, { nullable: true, description: 'Only public or only private ones.' })
  visibility?: ImageVisibility | null;
}

@InputType({ description: 'Changes of an image. What is left out stays as it is.' })
export class UpdateImageInput {
  @Field(() => ID, { description: 'The management id.' })
  id!: string;

  @Field(() => ImageVisibility, { nullable: true, description: 'Who may fetch the bytes.' })
  visibility?: ImageVisibility | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds from this moment until it ends; null lets it stay. Not together with `permanent`.',
  })
  ttlSeconds?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'True lets it stay until it is deleted. Not together with `ttlSeconds`.',
  })
  permanent?: boolean | null;
}

@ObjectType({ description: 'An image after its change.' })
export class UpdateImagePayload {
  @Field(() => Image, { description: 'The image.' })
  image!: Image;
}

@InputType({ description: 'The image to delete.' })
export class DeleteImageInput {
  @Field(() => ID, { description: 'The management id.' })
  id!: string;
}

@ObjectType({ description: 'An image that is gone.' })
export class DeleteImagePayload {
  @Field(() => ID, { description: 'The management id that it had.' })
  id!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

export function imageView(publicUrl: string, image: LiveImage): Image {
  return hostedImageView(hostedImage(publicUrl, image), image.ownerId);
}

export function hostedImageView({ id, visibility, source, ...facts }: HostedImage, ownerId: string | null): Image {
  return {
    ...facts,
    id: PlainId.format(id),
    visibility: visibility as ImageVisibility,
    source: source as ImageSource,
    owner: ownerId === null ? null : { id: UserId.format(ownerId) },
  };
}
