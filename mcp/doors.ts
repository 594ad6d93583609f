/** The doors for agents: which tools stand at which address, and how each of them reaches the platform. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Admit } from '../gateway/admission.js';
import { uploadBase64 } from '../gateway/uploads/upload.js';
import { type FilesQuery, filesAnswer } from '../gateway/workflow-files.js';
import type { Scope } from '../platform/scope.js';
import type { Route } from '../rest-shim/route.js';
import { imageBody } from '../rest-shim/routes/v1/images.js';
import type { Rows } from '../rest-shim/rows.js';
import type { Images } from '../subgraphs/images/client.js';
import type { BundleFiles } from '../subgraphs/registry/workflow/files.js';
import { INSTRUCTIONS } from './instructions.js';
import { type Preview, previewOf } from './preview.js';
import { mountMcp } from './server.js';
import { type OwnCall, Toolbox } from './toolbox.js';
import { TOOLS } from './tools.js';

export interface AgentDoorsDeps {
  routes: readonly Route[];
  rows: Rows;
  admit: Admit;
  images: Images;
  files: BundleFiles;
  log: Logger;
  publicUrl: string;
  version: string;
  corsOrigins: readonly string[];
}

/** A picture in base64, or a workflow with its files, and what stands around them. */
const BODY_LIMIT = 16 * 1024 * 1024;

export function mountAgentDoors(app: FastifyInstance, deps: AgentDoorsDeps): void {
  const { routes, rows, admit, log, publicUrl, version } = deps;
  const tools = new Toolbox({
    tools: TOOLS,
    routes,
    rows,
    own: ownCalls(deps),
    preview: (tool, body, scope) =>
      tool === 'generate_image' ? hostedPreview(deps.images, body, scope) : Promise.resolve(null),
    log,
  });
  mountMcp(
    app,
    {
      path: '/mcp',
      name: 'darkroom',
      title: 'Darkroom',
      version,
      instructions: INSTRUCTIONS,
      bodyLimit: BODY_LIMIT,
      resourceMetadataUrl: `${publicUrl}/.well-known/oauth-protected-resource/mcp`,
      origins: new Set([new URL(publicUrl).origin, ...deps.corsOrigins]),
    },
    { tools, admit },
  );
}

function ownCalls({ images, files }: AgentDoorsDeps): Record<string, OwnCall> {
  return {
    uploadImage: async ({ body, idempotencyKey }, scope) => {
      const picture = body as Parameters<typeof uploadBase64>[0];
      return imageBody(await uploadBase64(picture, idempotencyKey ?? null, scope, images));
    },
    getWorkflowFiles: ({ params, query }, scope) =>
      filesAnswer(files, String(params['id_or_slug']), query as FilesQuery, scope),
  };
}

/** The first picture of a run, read with the caller's own rights. */
async function hostedPreview(images: Images, body: unknown, scope: Scope): Promise<Preview | null> {
  const url = (body as { image_url?: unknown }).image_url;
  if (typeof url !== 'string') return null;
  const reference = { url, userId: scope.caller?.userId ?? null };
  const { bytes } = await images.readReference(reference, scope.requestId);
  return previewOf(bytes);
}
