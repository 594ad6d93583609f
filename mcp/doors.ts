/** The doors for agents: which tools stand at which address, and how each of them reaches the platform. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Admit } from '../gateway/admission.js';
import type { Operations } from '../gateway/graphql/operations.js';
import { uploadBase64 } from '../gateway/uploads/upload.js';
import { type FilesQuery, filesAnswer } from '../gateway/workflow-files.js';
import type { Events } from '../platform/events.js';
import type { Scope } from '../platform/scope.js';
import { type Route, rowOf } from '../rest-shim/route.js';
import { imageBody } from '../rest-shim/routes/v1/images.js';
import type { Rows } from '../rest-shim/rows.js';
import { type Assets, assetIdOf } from '../subgraphs/images/asset-client.js';
import type { Images } from '../subgraphs/images/client.js';
import type { BundleFiles } from '../subgraphs/registry/workflow/files.js';
import { type JobRows, jobCall, type RunParts, runCall } from './generation.js';
import { INSTRUCTIONS, V2_INSTRUCTIONS } from './instructions.js';
import { type Preview, previewOf } from './preview.js';
import { mountMcp } from './server.js';
import type { Tool } from './tool.js';
import { type OwnCall, Toolbox } from './toolbox.js';
import { TOOLS } from './tools.js';
import { V2_TOOLS } from './v2-tools.js';

export interface AgentDoorsDeps {
  routes: readonly Route[];
  rows: Rows;
  operations: Operations;
  admit: Admit;
  images: Images;
  assets: Assets;
  files: BundleFiles;
  templateFiles: BundleFiles;
  events: Events;
  log: Logger;
  publicUrl: string;
  version: string;
  corsOrigins: readonly string[];
  maxBatch: number;
}

/** A workflow with its files, or a picture and its mask, in base64. */
const BODY_LIMIT = 24 * 1024 * 1024;

export function mountAgentDoors(app: FastifyInstance, deps: AgentDoorsDeps): void {
  const { images, assets } = deps;
  mountDoor(app, deps, {
    path: '/mcp',
    name: 'darkroom',
    title: 'Darkroom',
    instructions: INSTRUCTIONS,
    tools: TOOLS,
    own: { ...ownCalls(deps), generateImage: runCall(runParts(deps)) },
    preview: (body, scope) => hostedPreview(images, body, scope),
  });
  mountDoor(app, deps, {
    path: '/v2/mcp',
    name: 'img-forge',
    title: 'Darkroom: pictures',
    instructions: V2_INSTRUCTIONS,
    tools: V2_TOOLS,
    own: { createJob: jobCall(deps.rows, jobRows(deps)) },
    preview: (body, scope) => assetPreview(assets, body, scope),
  });
}

interface Door {
  path: string;
  name: string;
  title: string;
  instructions: string;
  tools: readonly Tool[];
  own: Readonly<Record<string, OwnCall>>;
  /** The picture of what generate_image answered. */
  preview(body: unknown, scope: Scope): Promise<Preview | null>;
}

function mountDoor(app: FastifyInstance, deps: AgentDoorsDeps, { tools, own, preview, ...door }: Door): void {
  const { routes, rows, admit, events, log, publicUrl, version, corsOrigins, maxBatch } = deps;
  const toolbox = new Toolbox({
    tools,
    routes,
    rows,
    own,
    preview: (tool, body, scope) => (tool === 'generate_image' ? preview(body, scope) : Promise.resolve(null)),
    log,
  });
  mountMcp(
    app,
    {
      ...door,
      version,
      bodyLimit: BODY_LIMIT,
      maxBatch,
      resourceMetadataUrl: `${publicUrl}/.well-known/oauth-protected-resource${door.path}`,
      origins: new Set([new URL(publicUrl).origin, ...corsOrigins]),
    },
    { tools: toolbox, admit, events },
  );
}

const CANCEL = `mutation CancelGeneration($input: CancelGenerationInput!) {
  cancelGeneration(input: $input) { idempotencyKey }
}`;

function runParts({ routes, rows, operations }: AgentDoorsDeps): RunParts {
  const cancelling = operations.prepare(CANCEL);
  return {
    rows,
    run: rows.ready(rowOf(routes, 'generateImage')),
    async cancel(idempotencyKey, scope) {
      await operations.execute(cancelling, { input: { idempotencyKey } }, scope);
    },
  };
}

function jobRows({ routes, rows }: AgentDoorsDeps): JobRows {
  const ready = (id: string) => rows.ready(rowOf(routes, id));
  return { create: ready('createJob'), get: ready('getJob'), remove: ready('deleteJob') };
}

function ownCalls({ images, files, templateFiles }: AgentDoorsDeps): Record<string, OwnCall> {
  return {
    uploadImage: async ({ body, idempotencyKey }, scope) => {
      const picture = body as Parameters<typeof uploadBase64>[0];
      return imageBody(await uploadBase64(picture, idempotencyKey ?? null, scope, images));
    },
    getWorkflowFiles: ({ params, query }, scope) =>
      filesNow(files, String(params['id_or_slug']), query as FilesQuery, scope),
    getTemplateFiles: ({ params, query }, scope) =>
      filesNow(templateFiles, String(params['identifier']), query as FilesQuery, scope),
  };
}

/** An old handle is followed here: a tool has no redirects. */
async function filesNow(files: BundleFiles, reference: string, query: FilesQuery, scope: Scope): Promise<unknown> {
  const answer = await filesAnswer(files, reference, query, scope);
  return answer.movedTo ? filesAnswer(files, answer.movedTo, query, scope) : answer;
}

/** The first picture of a run, read with the caller's own rights. */
async function hostedPreview(images: Images, body: unknown, scope: Scope): Promise<Preview | null> {
  const url = (body as { image_url?: unknown }).image_url;
  if (typeof url !== 'string') return null;
  const reference = { url, userId: scope.caller?.userId ?? null };
  const { bytes } = await images.readReference(reference, scope.requestId);
  return previewOf(bytes);
}

async function assetPreview(assets: Assets, body: unknown, { requestId }: Scope): Promise<Preview | null> {
  const { asset_url: url } = body as { asset_url?: unknown };
  const id = typeof url === 'string' ? assetIdOf(new URL(url).pathname) : null;
  const picture = id === null ? null : await assets.read(id, requestId);
  return picture && previewOf(picture.bytes);
}
