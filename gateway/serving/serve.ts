/** GET and HEAD /v1/i/{token}.{ext}: the bytes of hosted images, past the graph. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import type { ByteRange } from '../../platform/s3.js';
import { refuseOtherMethods } from '../../rest-shim/shim.js';
import { tokenOf } from '../../subgraphs/images/address.js';
import type { Images, ServedImage } from '../../subgraphs/images/client.js';
import type { Admission } from '../admission.js';
import type { Bytes } from './bytes.js';
import { PRIVATE_CACHE_CONTROL, publicCacheControl, representationOf } from './picture.js';
import type { Records } from './records.js';
import { openToPages, respond, streamTo } from './respond.js';

export interface ServeDeps {
  images: Pick<Images, 'open'>;
  records: Records;
  bytes: Bytes;
  admission: Admission;
  now: () => Date;
}

export const SERVING_ROUTE = '/v1/i/:file';

export function mountServing(app: FastifyInstance, deps: ServeDeps): void {
  const { images, records, bytes, admission, now } = deps;

  app.route({ method: ['GET', 'HEAD'], url: SERVING_ROUTE, handler: serve });
  refuseOtherMethods(app, SERVING_ROUTE, new Set(['GET']));

  async function serve(request: FastifyRequest, reply: FastifyReply) {
    const image = await find(request, reply);
    if (image.visibility === 'private') await requireOwner(image, request, reply);
    writeHeaders(image, reply);
    return respond(request, reply, {
      contentType: image.contentType,
      representation: representationOf(image),
      body: (range) => bodyOf(image, range, request, reply),
    });
  }

  async function find(request: FastifyRequest, reply: FastifyReply): Promise<ServedImage> {
    const token = tokenOf(request.url.split('?', 1)[0] ?? '');
    const known = token === null ? null : await records.find(token, request.id);
    const image = known?.image;
    if (image && (image.expiresAt === null || image.expiresAt > now())) return image;
    // A guess costs a look-up, so it counts like any other request of that network.
    await admission.countNetwork(request, reply);
    throw new Problem('image_not_found');
  }

  /** A stranger is told what somebody is told who guesses. */
  async function requireOwner({ ownerId }: ServedImage, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { caller } = await admission.admit(request, reply);
    if (!caller) throw new Problem('auth_required');
    // A tenant's key is good for the tenant's pictures, which are not here.
    if (caller.userId !== ownerId || !caller.scopes.includes('account')) throw new Problem('image_not_found');
  }

  function writeHeaders({ visibility, expiresAt }: ServedImage, reply: FastifyReply): void {
    if (visibility === 'private') {
      reply.header('cache-control', PRIVATE_CACHE_CONTROL);
      return;
    }
    reply.header(
      'cache-control',
      publicCacheControl(expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, now().getTime()),
    );
    openToPages(reply);
  }

  async function bodyOf(image: ServedImage, range: ByteRange | null, request: FastifyRequest, reply: FastifyReply) {
    if (image.visibility === 'public') {
      const whole = range ? bytes.kept(image.id) : await bytes.load(image, request.id);
      if (whole) return range ? whole.subarray(range.start, range.end + 1) : whole;
    }
    return streamTo(reply, (signal) => images.open(image.id, range, request.id, signal));
  }
}
