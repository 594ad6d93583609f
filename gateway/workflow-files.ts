/** GET /v1/workflows/{id}/files, and of templates: a bundle's list of files, some with their contents, or the bytes of one. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Problem } from '../platform/errors.js';
import { PlainId, WorkflowId } from '../platform/ids.js';
import { requireKeyScope, requireOwnKey, type Scope } from '../platform/scope.js';
import type { Route } from '../rest-shim/route.js';
import { checkInput, keyScopeOf } from '../rest-shim/rows.js';
import type { BundleFiles, FilesOf } from '../subgraphs/registry/workflow/files.js';
import type { BundleFile } from '../subgraphs/registry/workflow/workflow.model.js';
import type { Admit } from './admission.js';

export interface FilesDeps {
  files: BundleFiles;
  admit: Admit;
  row: Route;
}

export interface FilesQuery {
  version?: number;
  path?: string;
  paths?: string | string[];
  sha256?: string;
  format?: 'json' | 'raw';
}

const AT_ONCE = 8;

export function mountFiles(app: FastifyInstance, { files, admit, row }: FilesDeps): void {
  const url = row.path.replaceAll(/\{\w+\}/g, ':reference');
  app.get<{ Params: { reference: string } }>(url, async (request, reply) => {
    const scope = await admit(request, reply);
    if (row.auth === 'required') requireOwnKey(scope);
    else requireKeyScope(scope, keyScopeOf(row));
    const query = row.query ? (checkInput(row.query, request.query) as FilesQuery) : {};
    const answer = await filesAnswer(files, request.params.reference, query, scope);
    if (answer.movedTo) {
      const search = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
      return reply.redirect(`${row.path.replace(/\{\w+\}/, () => answer.movedTo)}${search}`, 307);
    }
    return answer.raw ? sendRaw(reply, answer.raw, answer.bytes) : answer;
  });
}

type FilesAnswer =
  | { movedTo: string; raw?: never }
  | { raw: BundleFile; bytes: Buffer; movedTo?: never }
  | { raw?: never; movedTo?: never; version: number; [member: string]: unknown };

/** The documented body, or the one file whose bytes are to be sent as they are. */
export async function filesAnswer(
  files: BundleFiles,
  reference: string,
  query: FilesQuery,
  scope: Scope,
): Promise<FilesAnswer> {
  checkQuery(query);
  const found = await files.list(reference, query.version ?? null, scope);
  const read = (file: BundleFile) => files.read(reference, found.version, file.sha256, scope);
  if (found.movedTo !== null) return { movedTo: found.movedTo };
  const head = { ...idOf(found), version: found.version };
  if (query.paths !== undefined) return { ...head, ...(await several(found, [query.paths].flat(), read)) };
  if (query.path === undefined && query.sha256 === undefined) return { ...head, files: found.files.map(described) };
  const file = found.files.find(({ path, sha256 }) =>
    query.path === undefined ? sha256 === query.sha256 : path === query.path && (query.sha256 ?? sha256) === sha256,
  );
  if (!file) throw new Problem('not_found', 'file not found');
  const bytes = await read(file);
  return query.format === 'raw' ? { raw: file, bytes } : { ...head, ...described(file), ...contents(bytes) };
}

function idOf({ holder, id }: FilesOf): Record<string, string> {
  return holder === 'workflow' ? { workflow_id: WorkflowId.format(id) } : { template_id: PlainId.format(id) };
}

function checkQuery(read: FilesQuery): void {
  if (read.paths !== undefined && (read.path !== undefined || read.sha256 !== undefined)) {
    throw Problem.invalid('paths', 'cannot be given together with path or sha256');
  }
  if (read.format === 'raw' && read.path === undefined && read.sha256 === undefined) {
    throw Problem.invalid('format', 'raw needs path or sha256');
  }
}

function described({ path, sizeBytes, sha256, contentType }: BundleFile) {
  return { path, size_bytes: sizeBytes, sha256, content_type: contentType };
}

/** Text where the bytes are text, whatever the name of the file says. */
function contents(bytes: Buffer): { content: string } | { content_base64: string } {
  try {
    return { content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { content_base64: bytes.toString('base64') };
  }
}

async function several({ files }: FilesOf, paths: readonly string[], read: (file: BundleFile) => Promise<Buffer>) {
  const wanted = new Set(paths);
  const there = files.filter(({ path }) => wanted.has(path));
  const answers: object[] = [];
  for (let i = 0; i < there.length; i += AT_ONCE) {
    const batch = there.slice(i, i + AT_ONCE);
    answers.push(
      ...(await Promise.all(batch.map(async (file) => ({ ...described(file), ...contents(await read(file)) })))),
    );
  }
  const known = new Set(there.map(({ path }) => path));
  return { files: answers, missing: [...wanted].filter((path) => !known.has(path)) };
}

/** What somebody put into a bundle is never a page of ours: a browser saves it. */
function sendRaw(reply: FastifyReply, { path, contentType, sha256 }: BundleFile, bytes: Buffer): FastifyReply {
  const name = encodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  return reply
    .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cache-control', 'private, no-store')
    .header('etag', `"${sha256}"`)
    .type(contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType)
    .send(bytes);
}
