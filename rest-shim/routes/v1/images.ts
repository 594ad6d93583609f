import { z } from 'zod';
import type { HostedImage } from '../../../subgraphs/images/client.js';
import { MAX_TTL_SECONDS, TTL_OR_PERMANENT } from '../../../subgraphs/images/image/ttl.js';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';

const IMAGE = `id token url visibility expires_at: expiresAt size_bytes: sizeBytes content_type: contentType source
  width height created_at: createdAt`;

/** The same from the byte door, whose answers do not pass through the graph. */
export function imageBody(image: HostedImage) {
  const { id, token, url, visibility, expiresAt, sizeBytes, contentType, source, width, height, createdAt } = image;
  return {
    id,
    token,
    url,
    visibility,
    expires_at: expiresAt,
    size_bytes: sizeBytes,
    content_type: contentType,
    source,
    width,
    height,
    created_at: createdAt,
  };
}

const visibility = choice('private', 'public');
const ttl = z
  .number({ error: `must be a whole number from 1 to ${MAX_TTL_SECONDS}` })
  .int()
  .min(1)
  .max(MAX_TTL_SECONDS);

export const uploadBody = z.object({
  data: z.string({ error: 'must be the bytes in base64' }).describe('The bytes in base64, at most 8 MiB of them.'),
  visibility: visibility.default('private').describe('Who may fetch the bytes.'),
  ttl_seconds: ttl.nullish().describe('Seconds until it ends; it stays when left out.'),
});

/** The same as fields of a form, where all is text. */
export const uploadForm = z.object({
  visibility: visibility.default('private'),
  ttl_seconds: z
    .string()
    .regex(/^\d{1,10}$/, `must be a whole number from 1 to ${MAX_TTL_SECONDS}`)
    .transform(Number)
    .pipe(ttl)
    .optional(),
});

const id = z.string().max(200).describe('The management id.');

export const images: Route[] = [
  route({
    method: 'POST',
    path: '/v1/images',
    tag: 'Images',
    id: 'uploadImage',
    summary: 'Upload and host an image',
    description:
      'PNG, JPEG, WebP or GIF, told by its bytes, as multipart/form-data (up to 25 MiB unless the installation sets ' +
      'another limit; fields in any order) or in base64 in a JSON body (up to 8 MiB, within the same limit). The url ' +
      'never changes.',
    auth: 'required',
    body: uploadBody,
    own: true,
    idempotent: true,
    otherBodies: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          required: ['file'],
          properties: {
            file: {
              type: 'string',
              format: 'binary',
              description: 'The picture. Its name and declared type are ignored.',
            },
            visibility: { type: 'string', enum: ['private', 'public'], default: 'private' },
            ttl_seconds: { type: 'integer', minimum: 1, description: 'Seconds until it ends.' },
          },
        },
      },
    },
    status: 201,
    operation: `mutation UploadImage($input: UploadImageInput!) { uploadImage(input: $input) { _: image { ${IMAGE} } } }`,
    errors: [
      'validation_error',
      'account_suspended',
      'request_timeout',
      'conflict',
      'file_too_large',
      'unsupported_image_type',
      'unsupported_media_type',
      'quota_exceeded',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/images',
    tag: 'Images',
    id: 'listImages',
    summary: 'Your hosted images',
    description: 'Newest first.',
    auth: 'required',
    query: z.object({
      ...pageQuery,
      source: choice('upload', 'generated').optional().describe('Only uploaded or only generated ones.'),
      visibility: visibility.optional().describe('Only public or only private ones.'),
    }),
    status: 200,
    operation: `query Images($first: Int, $after: String, $source: ImageSource, $visibility: ImageVisibility) {
      images(first: $first, after: $after, source: $source, visibility: $visibility) {
        items: nodes { ${IMAGE} }
        next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({
      first: query.limit,
      after: query.cursor,
      source: toEnum(query.source),
      visibility: toEnum(query.visibility),
    }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/images/{image_id}',
    tag: 'Images',
    id: 'getImage',
    summary: 'One of your hosted images',
    auth: 'required',
    params: z.object({ image_id: id }),
    status: 200,
    operation: `query Image($id: ID!) { image(id: $id) { ${IMAGE} } }`,
    variables: ({ params }) => ({ id: params.image_id }),
    errors: ['image_not_found'],
  }),
  route({
    method: 'PATCH',
    path: '/v1/images/{image_id}',
    tag: 'Images',
    id: 'updateImage',
    summary: 'Change who may fetch an image, or when it ends',
    description:
      'Only what is passed changes. A time to live counts from this moment; `null` clears it, as `permanent` does. Both ' +
      'together answer `422 {"detail": …}`, the one error without the usual shape.',
    auth: 'required',
    params: z.object({ image_id: id }),
    body: z.object({
      visibility: visibility.optional().describe('Who may fetch the bytes.'),
      ttl_seconds: ttl.nullish().describe('Seconds from now until it ends; null lets it stay.'),
      permanent: z.boolean().optional().describe('True lets it stay until it is deleted.'),
    }),
    status: 200,
    operation: `mutation UpdateImage($input: UpdateImageInput!) { updateImage(input: $input) { _: image { ${IMAGE} } } }`,
    refusals: {
      422: {
        description: '`ttl_seconds` and `permanent` together. The one error without the usual shape.',
        content: {
          'application/json': {
            schema: { type: 'object', required: ['detail'], properties: { detail: { type: 'string' } } },
          },
        },
      },
    },
    refuse: ({ body }) =>
      body['ttl_seconds'] !== undefined && body['permanent'] !== undefined
        ? { status: 422, body: { detail: TTL_OR_PERMANENT } }
        : null,
    variables: ({ params, body }) => ({
      input: {
        id: params.image_id,
        visibility: toEnum(body.visibility),
        ttlSeconds: body.ttl_seconds,
        permanent: body.permanent,
      },
    }),
    errors: ['validation_error', 'account_suspended', 'image_not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/images/{image_id}',
    tag: 'Images',
    id: 'deleteImage',
    summary: 'Delete an image',
    description: 'Its url stops resolving at once, and there is no way back.',
    auth: 'required',
    params: z.object({ image_id: id }),
    status: 204,
    operation: 'mutation DeleteImage($input: DeleteImageInput!) { deleteImage(input: $input) { id deleted } }',
    variables: ({ params }) => ({ input: { id: params.image_id } }),
    errors: ['image_not_found'],
  }),
];
