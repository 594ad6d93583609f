import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { User } from '../user/user.type.js';
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

export function imageUrl(publicUrl: string, { token, extension }: LiveImage): string {
  return `${publicUrl}/v1/i/${token}.${extension}`;
}

export function imageView(publicUrl: string, image: LiveImage): Image {
  const { contentType, sizeBytes, width, height, createdAt, expiresAt } = image;
  return {
    id: PlainId.format(image._id),
    token: image.token,
    url: imageUrl(publicUrl, image),
    visibility: image.visibility as ImageVisibility,
    source: image.source as ImageSource,
    contentType,
    sizeBytes,
    width,
    height,
    createdAt,
    expiresAt,
    owner: image.ownerId === null ? null : { id: UserId.format(image.ownerId) },
  };
}
