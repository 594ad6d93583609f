/** GET and HEAD /v1/i/{token}.{ext}: the bytes of hosted images, past the graph. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import type { ByteRange } from '../../platform/s3.js';
import { refuseOtherMethods } from '../../rest-shim/shim.js';
import { tokenOf } from '../../subgraphs/images/address.js';
import type { Images, ServedImage } from '../../subgraphs/images/client.js';
import type { Admission } from '../admission.js';
import type { Bytes } from './bytes.js';
import { type Wanted, wantedOf } from './conditions.js';
import { EXPOSED, PRIVATE_CACHE_CONTROL, publicCacheControl, representationOf, wholeHeaders } from './picture.js';
import type { Records } from './records.js';

export interface ServeDeps {
  images: Pick<Images, 'open'>;
  records: Records;
  bytes: Bytes;
  admission: Admission;
  now: () => Date;
}

export const SERVING_ROUTE = '/v1/i/:file';

// A reader that takes nothing for so long has left, and must not hold on to a connection to the bucket.
const STALLED_MS = 60_000;

export function mountServing(app: FastifyInstance, deps: ServeDeps): void {
  const { images, records, bytes, admission, now } = deps;

  app.route({ method: ['GET', 'HEAD'], url: SERVING_ROUTE, handler: serve });
  refuseOtherMethods(app, SERVING_ROUTE, new Set(['GET']));

  async function serve(request: FastifyRequest, reply: FastifyReply) {
    const image = await find(request, reply);
    if (image.visibility === 'private') await requireOwner(image, request, reply);
    const representation = representationOf(image);
    const wanted = wantedOf(request.headers, representation);
    writeHeaders(image, reply);
    if (wanted.kind === 'unsatisfiable') {
      reply.headers({ 'content-range': `bytes */${image.sizeBytes}`, 'cache-control': 'no-store' });
      throw new Problem('range_not_satisfiable');
    }
    setPairs(reply, wholeHeaders(image, representation));
    if (wanted.kind === 'unchanged') {
      reply.removeHeader('content-type');
      return reply.code(304).send();
    }
    const range = rangeOf(wanted);
    reply.code(range ? 206 : 200);
    reply.header('content-length', range ? range.end - range.start + 1 : image.sizeBytes);
    if (range) reply.header('content-range', `bytes ${range.start}-${range.end}/${image.sizeBytes}`);
    if (request.method === 'HEAD') return reply.send();
    return reply.send(await bodyOf(image, range, request, reply));
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
    // Whatever pages may call the API: what is public may be shown by all of them.
    reply
      .headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED })
      .removeHeader('vary');
  }

  async function bodyOf(image: ServedImage, range: ByteRange | null, request: FastifyRequest, reply: FastifyReply) {
    if (image.visibility === 'public') {
      const whole = range ? bytes.kept(image.id) : await bytes.load(image, request.id);
      if (whole) return range ? whole.subarray(range.start, range.end + 1) : whole;
    }
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const stream = await images.open(image.id, range, request.id, gone.signal).catch((error) => {
      // Nobody is left to read why.
      throw gone.signal.aborted ? new Problem('unavailable') : error;
    });
    reply.raw.once('close', () => stream.destroy());
    reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
    return stream;
  }
}

function rangeOf(wanted: Wanted): ByteRange | null {
  return wanted.kind === 'part' ? wanted.range : null;
}

function setPairs(reply: FastifyReply, pairs: readonly string[]): void {
  for (let i = 0; i < pairs.length; i += 2) reply.header(pairs[i] ?? '', pairs[i + 1]);
}
