/** The files of workflows and templates at a port of their own, and how a gateway asks there. */
import { buffer, json } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ByteTransport } from '../../../platform/bytes.js';
import { Problem } from '../../../platform/errors.js';
import type { Scope } from '../../../platform/scope.js';
import type { Authorize } from '../../../platform/subgraph.js';
import { type BundleFiles, type FilesOf, HOLDERS, type Holder } from './files.js';

const listPath = (holder: Holder) => `/${holder}s/files`;
const bytesPath = (holder: Holder) => `/${holder}s/bytes`;

const listQuery = z.object({ of: z.string(), version: z.coerce.number().int().optional() });
const bytesQuery = z.object({ of: z.string(), version: z.coerce.number().int(), sha256: z.string() });

export function mountFilesDoor(app: FastifyInstance, holder: Holder, files: BundleFiles, authorize: Authorize): void {
  app.get(listPath(holder), async (request) => {
    const scope = authorize(request);
    const { of, version } = listQuery.parse(request.query);
    return files.list(of, version ?? null, scope);
  });
  app.get(bytesPath(holder), async (request, reply) => {
    const scope = authorize(request);
    const { of, version, sha256 } = bytesQuery.parse(request.query);
    return reply.type('application/octet-stream').send(await files.read(of, version, sha256, scope));
  });
}

const filesOfSchema = z.object({
  holder: z.enum(HOLDERS),
  id: z.string(),
  version: z.number(),
  files: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number(), contentType: z.string() })),
  movedTo: z.string().nullable(),
});

export class RemoteBundleFiles implements BundleFiles {
  readonly #transport: ByteTransport;
  readonly #holder: Holder;

  constructor(transport: ByteTransport, holder: Holder) {
    this.#transport = transport;
    this.#holder = holder;
  }

  async list(of: string, version: number | null, scope: Scope): Promise<FilesOf> {
    const query = new URLSearchParams({ of, ...(version !== null && { version: String(version) }) });
    const path = `${listPath(this.#holder)}?${query}`;
    const { body } = await this.#transport.send({ method: 'GET', path }, scope);
    const parsed = filesOfSchema.safeParse(await json(body));
    if (parsed.success) return parsed.data;
    throw new Problem('unavailable', 'The registry service gave an answer that is not understood here.', {
      cause: parsed.error,
    });
  }

  async read(of: string, version: number, sha256: string, scope: Scope): Promise<Buffer> {
    const query = new URLSearchParams({ of, version: String(version), sha256 });
    const path = `${bytesPath(this.#holder)}?${query}`;
    const { body } = await this.#transport.send({ method: 'GET', path }, scope);
    return buffer(body);
  }
}

/** Of this process, where they are built after those that ask them. */
export function lateFiles(find: () => BundleFiles): BundleFiles {
  return {
    list: (reference, version, scope) => find().list(reference, version, scope),
    read: (reference, version, sha256, scope) => find().read(reference, version, sha256, scope),
  };
}
