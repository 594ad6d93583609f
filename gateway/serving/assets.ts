/** GET and HEAD /v2/assets/{id}: the outputs of jobs, by the hash of their bytes, in the shape that is asked for. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import { refuseOtherMethods } from '../../rest-shim/shim.js';
import { isPreset, PRESET_NAMES } from '../../subgraphs/images/asset/presets.js';
import { type AssetPreset, type Assets, parseAssetId } from '../../subgraphs/images/asset-client.js';
import type { Admission } from '../admission.js';
import { representationOf } from './picture.js';
import { openToPages, respond, streamTo } from './respond.js';

export interface ServeAssetsDeps {
  assets: Assets;
  admission: Admission;
}

const ROUTE = '/v2/assets/:id';
/** The bytes never change under their address; an asset that is deleted may be shown from caches for so long. */
const CACHE_CONTROL = 'public, max-age=3600';

export function mountAssets(app: FastifyInstance, { assets, admission }: ServeAssetsDeps): void {
  app.route<{ Params: { id: string } }>({
    method: ['GET', 'HEAD'],
    url: ROUTE,
    async handler(request, reply) {
      const preset = presetOf(request);
      const asset = await find(request.params.id, preset, request, reply);
      const { id: sha256, sizeBytes, createdAt, contentType, objectId } = asset;
      reply.header('cache-control', CACHE_CONTROL);
      openToPages(reply);
      return respond(request, reply, {
        contentType,
        representation: representationOf({ sha256, createdAt, sizeBytes }),
        body: (range) => streamTo(reply, (signal) => assets.open(objectId, range, request.id, signal)),
      });
    },
  });
  refuseOtherMethods(app, ROUTE, new Set(['GET']));

  async function find(text: string, preset: AssetPreset | null, request: FastifyRequest, reply: FastifyReply) {
    const id = parseAssetId(text);
    // Making a variant, and guessing, cost us something.
    if (preset !== null || id === null) await admission.countNetwork(request, reply);
    const asset = id === null ? null : await assets.find(id, preset, request.id);
    if (asset) return asset;
    if (preset === null && id !== null) await admission.countNetwork(request, reply);
    throw new Problem('not_found', 'No such asset.');
  }
}

function presetOf({ query }: FastifyRequest): AssetPreset | null {
  const { preset } = query as { preset?: unknown };
  if (preset === undefined) return null;
  if (typeof preset === 'string' && isPreset(preset)) return preset;
  throw Problem.invalid('preset', `must be one of ${PRESET_NAMES.join(', ')}`);
}

export const ASSETS_DOCUMENT = {
  '/v2/assets/{id}': {
    get: {
      operationId: 'serveAsset',
      tags: ['Assets'],
      summary: 'The bytes of an output of a job',
      description:
        'For anyone who knows the address. `If-None-Match`, `If-Modified-Since`, `Range` (one range) and `If-Range` ' +
        'work as in RFC 9110. Variants are made when they are first asked for, and kept.',
      parameters: [
        {
          name: 'id',
          in: 'path',
          required: true,
          description: 'The SHA-256 of the bytes in hexadecimal.',
          schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
        },
        {
          name: 'preset',
          in: 'query',
          description:
            'Another shape: thumbnail 256×256, hero 1600×900 and portrait 900×1200, cut to cover; standard, whole, at most 1024×1024.',
          schema: { type: 'string', enum: PRESET_NAMES },
        },
      ],
      responses: {
        200: { description: 'The bytes.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } },
        206: { description: 'The part that `Range` asked for.' },
        304: { description: 'What the caller has is still right.' },
        400: { description: '`validation_error`: there is no such preset.' },
        404: { description: '`not_found`: there is none, or none any more.' },
        416: { description: '`range_not_satisfiable`' },
      },
    },
  },
};
