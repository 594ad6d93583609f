import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { type FileUpload, Upload } from '../../../platform/graph/upload.js';
import { Image, ImageVisibility } from '../image/image.type.js';

@InputType({ description: 'A picture to host.' })
export class UploadImageInput {
  @Field(() => Upload, { description: 'A PNG, JPEG, WebP or GIF; the type is read from the bytes.' })
  file!: Promise<FileUpload>;

  @Field(() => ImageVisibility, { nullable: true, description: 'Who may fetch the bytes; PRIVATE when left out.' })
  visibility?: ImageVisibility | null;

  @Field(() => Int, { nullable: true, description: 'Seconds until it ends; it stays when left out.' })
  ttlSeconds?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names the request: sent again within a day it is not done again, and answered alike.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'A picture that is hosted.' })
export class UploadImagePayload {
  @Field(() => Image, { description: 'The image.' })
  image!: Image;
}
