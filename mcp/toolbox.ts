/** Tools made ready: their schemas derived from their rows once, and their calls run as the rows' REST paths are. */
import type { CallToolResult, Tool as ListedTool } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import { Problem } from '../platform/errors.js';
import { asProblem } from '../platform/http.js';
import { requireCaller, requireKeyScope, type Scope } from '../platform/scope.js';
import type { Route, RouteInput } from '../rest-shim/route.js';
import { checkRowInput, keyScopeOf, type ReadyRow, type Rows } from '../rest-shim/rows.js';
import { ToolInput } from './input.js';
import type { Preview } from './preview.js';
import { refused, succeeded } from './result.js';
import type { Tools } from './server.js';
import { annotationsOf, descriptionOf, type Tool } from './tool.js';

/**
 * Rows whose REST answer has a handler of its own need one here as well; so does what can be called off. The signal says
 * that nobody wants the answer any more.
 */
export type OwnCall = (input: RouteInput, scope: Scope, signal: AbortSignal) => Promise<unknown>;

export interface ToolboxDeps {
  tools: readonly Tool[];
  routes: readonly Route[];
  rows: Rows;
  own: Readonly<Record<string, OwnCall>>;
  /** The picture of an answer, for the tools that make one. */
  preview(tool: string, body: unknown, scope: Scope): Promise<Preview | null>;
  log: Logger;
}

interface ReadyTool {
  tool: Tool;
  ready: ReadyRow;
  input: ToolInput;
  own: OwnCall | undefined;
}

export class Toolbox implements Tools {
  readonly listed: readonly ListedTool[];
  readonly #deps: ToolboxDeps;
  readonly #tools: ReadonlyMap<string, ReadyTool>;

  constructor(deps: ToolboxDeps) {
    this.#deps = deps;
    const rowsById = new Map(deps.routes.map((row) => [row.id, row]));
    const tools = deps.tools.map((tool) => {
      const row = rowsById.get(tool.row);
      if (!row) throw new Error(`${tool.name} stands on ${tool.row}, which is no row`);
      const own = deps.own[row.id];
      if (row.own && !own) throw new Error(`${tool.name} needs a call of its own`);
      return { tool, ready: deps.rows.ready(row), input: new ToolInput(tool, row), own };
    });
    this.#tools = new Map(tools.map((ready) => [ready.tool.name, ready]));
    this.listed = tools.map(listedTool);
  }

  isSlow(name: string): boolean {
    return this.#tools.get(name)?.tool.slow ?? false;
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<CallToolResult> {
    const ready = this.#tools.get(name);
    if (!ready) return refused(new Problem('not_found', 'There is no such tool.'), scope.requestId);
    try {
      const body = await this.#run(ready, args, scope, signal);
      const preview = await this.#preview(name, body, scope);
      return succeeded(body, { stored: ready.tool.stored ?? false, preview, say: ready.tool.say });
    } catch (error) {
      const problem = asProblem(error);
      if (problem.slug === 'internal_error') {
        this.#deps.log.error({ err: error, requestId: scope.requestId, tool: name }, 'tool failed');
      }
      return refused(problem, scope.requestId);
    }
  }

  async #run(
    { ready, input, own }: ReadyTool,
    args: Readonly<Record<string, unknown>>,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { row } = ready;
    requireCaller(scope);
    requireKeyScope(scope, keyScopeOf(row));
    const checked = checkRowInput(row, input.given(args));
    const refusal = row.refuse?.(checked);
    if (refusal) throw new Problem('validation_error', textOf(refusal.body));
    if (own) return own(checked, scope, signal);
    const body = await this.#deps.rows.run(ready, checked, scope);
    if (row.status === 204) return null;
    return row.finish ? row.finish(body as Record<string, unknown>) : body;
  }

  /** A picture that cannot be shown is still made, and its address in the answer. */
  async #preview(name: string, body: unknown, scope: Scope): Promise<Preview | null> {
    try {
      return await this.#deps.preview(name, body, scope);
    } catch (error) {
      this.#deps.log.warn({ err: error, requestId: scope.requestId, tool: name }, 'no preview');
      return null;
    }
  }
}

function textOf(body: object): string {
  return 'detail' in body && typeof body.detail === 'string' ? body.detail : JSON.stringify(body);
}

function listedTool({ tool, ready, input }: ReadyTool): ListedTool {
  const { row, shape } = ready;
  const { schema } = shape;
  return {
    name: tool.name,
    title: row.summary,
    description: descriptionOf(tool, row),
    inputSchema: input.schema as ListedTool['inputSchema'],
    ...(!tool.freeForm && !row.finish && row.status !== 204 && { outputSchema: schema as ListedTool['outputSchema'] }),
    annotations: annotationsOf(tool, row),
  };
}
