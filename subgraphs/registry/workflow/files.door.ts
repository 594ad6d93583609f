/** The files of workflows at a port of their own, and how a gateway asks there. */
import { buffer, json } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ByteTransport } from '../../../platform/bytes.js';
import { Problem } from '../../../platform/errors.js';
import type { Scope } from '../../../platform/scope.js';
import type { Authorize } from '../../../platform/subgraph.js';
import type { FilesOf, WorkflowFiles } from './files.js';

const LIST_PATH = '/workflows/files';
const BYTES_PATH = '/workflows/bytes';

const listQuery = z.object({ workflow: z.string(), version: z.coerce.number().int().optional() });
const bytesQuery = z.object({ workflow: z.string(), version: z.coerce.number().int(), sha256: z.string() });

export function mountFilesDoor(app: FastifyInstance, files: WorkflowFiles, authorize: Authorize): void {
  app.get(LIST_PATH, async (request) => {
    const scope = authorize(request);
    const { workflow, version } = listQuery.parse(request.query);
    return files.list(workflow, version ?? null, scope);
  });
  app.get(BYTES_PATH, async (request, reply) => {
    const scope = authorize(request);
    const { workflow, version, sha256 } = bytesQuery.parse(request.query);
    return reply.type('application/octet-stream').send(await files.read(workflow, version, sha256, scope));
  });
}

const filesOfSchema = z.object({
  workflowId: z.string(),
  version: z.number(),
  files: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number(), contentType: z.string() })),
});

export class RemoteWorkflowFiles implements WorkflowFiles {
  readonly #transport: ByteTransport;

  constructor(transport: ByteTransport) {
    this.#transport = transport;
  }

  async list(workflow: string, version: number | null, scope: Scope): Promise<FilesOf> {
    const query = new URLSearchParams({ workflow, ...(version !== null && { version: String(version) }) });
    const { body } = await this.#transport.send({ method: 'GET', path: `${LIST_PATH}?${query}` }, scope);
    const parsed = filesOfSchema.safeParse(await json(body));
    if (parsed.success) return parsed.data;
    throw new Problem('unavailable', 'The registry service gave an answer that is not understood here.', {
      cause: parsed.error,
    });
  }

  async read(workflow: string, version: number, sha256: string, scope: Scope): Promise<Buffer> {
    const query = new URLSearchParams({ workflow, version: String(version), sha256 });
    const { body } = await this.#transport.send({ method: 'GET', path: `${BYTES_PATH}?${query}` }, scope);
    return buffer(body);
  }
}

/** Of this process, where they are built after those that ask them. */
export function lateFiles(find: () => WorkflowFiles): WorkflowFiles {
  return {
    list: (reference, version, scope) => find().list(reference, version, scope),
    read: (reference, version, sha256, scope) => find().read(reference, version, sha256, scope),
  };
}
