import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { bytesOf } from '../../../platform/graph/upload.js';
import { requireCaller } from '../../../platform/scope.js';
import type { ImagesContext } from '../context.js';
import { hostedImageView } from '../image/image.type.js';
import { UploadImageInput, UploadImagePayload } from './upload.type.js';

@Resolver()
export class UploadResolver {
  @Mutation(() => UploadImagePayload, {
    nullable: true,
    description: 'Hosts a picture under a url that never changes. Send it as a multipart request.',
  })
  async uploadImage(
    @Arg('input', () => UploadImageInput, { description: 'The picture.' }) input: UploadImageInput,
    @Ctx() { scope, uploads }: ImagesContext,
  ): Promise<UploadImagePayload> {
    const { userId } = requireCaller(scope);
    const { file, visibility, ttlSeconds, idempotencyKey } = input;
    const image = await uploads.upload(
      {
        bytes: bytesOf(file),
        settings: async () => ({ visibility: visibility ?? 'private', ttlSeconds: ttlSeconds ?? null }),
        idempotencyKey: idempotencyKey ?? null,
      },
      scope,
    );
    return { image: hostedImageView(image, userId) };
  }
}
