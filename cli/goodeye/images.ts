/** Hosted images. */
import type { Command } from '../command.js';
import { usage } from '../failure.js';
import { print } from '../perform.js';
import { option, query, word } from './inputs.js';

const id = word('image_id', 'the id of the image');
const VISIBILITY = ['private', 'public'] as const;
const ttl = option('ttl_seconds', 'seconds until it ends', { flag: 'ttl', kind: 'number' });

export const images: readonly Command[] = [
  {
    words: 'images upload',
    call: 'POST /v1/images',
    help: 'host a PNG, JPEG, WebP or GIF of up to 25 MiB, unless the server sets another limit',
    arguments: [{ name: 'file', in: 'body', help: 'the file' }],
    options: [
      option('visibility', 'who may fetch it; private when left out', { choices: VISIBILITY }),
      option('ttl_seconds', 'seconds until it ends; it stays when left out', { flag: 'ttl', kind: 'number' }),
    ],
    examples: ['goodeye images upload hero.png --visibility public', 'goodeye images upload shot.webp --ttl 86400'],
    async run({ file, ...fields }, context) {
      const activity = context.activity('uploading');
      const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
      const body = await context.api
        .upload('/v1/images', String(file), texts, (done) => activity.progress('uploading', done))
        .finally(() => activity.end());
      await print({ words: 'images upload', help: '' }, {}, body, context);
    },
  },
  {
    words: 'images list',
    call: 'GET /v1/images',
    help: 'your images, newest first',
    options: [
      query('source', 'uploaded or generated ones alone', { choices: ['upload', 'generated'] }),
      query('visibility', 'public or private ones alone', { choices: VISIBILITY }),
    ],
    list: { columns: ['id', 'visibility', 'source', 'content_type', 'size_bytes', 'expires_at', 'url'] },
  },
  { words: 'images get', call: 'GET /v1/images/{image_id}', help: 'one image', arguments: [id] },
  {
    words: 'images update',
    call: 'PATCH /v1/images/{image_id}',
    help: 'change who may fetch it, or when it ends',
    arguments: [id],
    options: [
      option('visibility', 'who may fetch it', { choices: VISIBILITY }),
      ttl,
      option('permanent', 'it stays until it is deleted', { kind: 'flag' }),
    ],
    examples: ['goodeye images update ID --visibility public', 'goodeye images update ID --ttl 2592000'],
  },
  {
    words: 'images share',
    call: 'PATCH /v1/images/{image_id}',
    help: 'let everybody fetch it',
    arguments: [id],
    fixed: { visibility: 'public' },
  },
  {
    words: 'images unshare',
    call: 'PATCH /v1/images/{image_id}',
    help: 'keep it to yourself again',
    arguments: [id],
    fixed: { visibility: 'private' },
  },
  {
    words: 'images set-ttl',
    call: 'PATCH /v1/images/{image_id}',
    help: 'when it ends',
    arguments: [id, { name: 'ttl', in: 'body', help: 'seconds from now, or permanent' }],
    examples: ['goodeye images set-ttl ID 604800', 'goodeye images set-ttl ID permanent'],
    async run({ image_id, ttl: given }, context) {
      if (given !== 'permanent' && !/^\d+$/.test(String(given))) throw usage('<ttl> must be seconds, or permanent');
      const body = given === 'permanent' ? { permanent: true } : { ttl_seconds: Number(given) };
      const image = await context.api.call('PATCH', `/v1/images/${encodeURIComponent(String(image_id))}`, { body });
      await print({ words: 'images set-ttl', help: '' }, {}, image ?? {}, context);
    },
  },
  {
    words: 'images delete',
    call: 'DELETE /v1/images/{image_id}',
    help: 'delete it; its address stops at once',
    arguments: [id],
    confirm: ({ image_id }) => `Delete the image ${image_id}?`,
    show: () => 'deleted\n',
  },
];
