/** The inputs of a row as the arguments of a tool: path, query and body side by side in one object. */
import { z } from 'zod';
import type { JsonSchema } from '../rest-shim/answer.js';
import { toJsonSchema } from '../rest-shim/json-schema.js';
import type { Route } from '../rest-shim/route.js';
import type { GivenInput } from '../rest-shim/rows.js';
import type { Tool } from './tool.js';

const IDEMPOTENCY_KEY = 'idempotency_key';

type Part = 'params' | 'query' | 'body';

interface Member {
  part: Part;
  schema: JsonSchema;
  required: boolean;
}

export class ToolInput {
  readonly schema: JsonSchema;
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #takesKey: boolean;
  readonly #fixed: Readonly<Record<string, unknown>>;

  constructor(tool: Tool, row: Route) {
    this.#fixed = tool.fixed ?? {};
    const all = membersOf(row);
    const members = new Map(
      [...all].filter(([name]) => !(name in this.#fixed) && (tool.inputs?.includes(name) ?? true)),
    );
    for (const name of tool.inputs ?? []) if (!members.has(name)) throw new Error(`${tool.name} offers no ${name}`);
    this.#parts = new Map(
      [...all].filter(([name]) => members.has(name) || name in this.#fixed).map(([name, { part }]) => [name, part]),
    );
    this.#takesKey = row.idempotent === true && !members.has(IDEMPOTENCY_KEY);
    const required = [...members]
      .filter(([name, member]) => member.required || tool.required?.includes(name))
      .map(([name]) => name);
    this.schema = {
      type: 'object',
      properties: {
        ...Object.fromEntries([...members].map(([name, { schema }]) => [name, schema])),
        ...(this.#takesKey && { [IDEMPOTENCY_KEY]: KEY_SCHEMA }),
      },
      ...(required.length > 0 && { required }),
    };
  }

  /** As a request would have brought it. What the tool does not offer is passed over, as a request's unknown fields are. */
  given(args: Readonly<Record<string, unknown>>): GivenInput {
    const parts: Record<Part, Record<string, unknown>> = { params: {}, query: {}, body: {} };
    for (const [name, value] of Object.entries({ ...args, ...this.#fixed })) {
      const part = this.#parts.get(name);
      if (part === undefined || value === undefined) continue;
      parts[part][name] = part === 'body' ? value : asText(value);
    }
    const key = args[IDEMPOTENCY_KEY];
    return { ...parts, idempotencyKey: this.#takesKey && typeof key === 'string' ? key : undefined };
  }
}

const KEY_SCHEMA: JsonSchema = {
  type: 'string',
  maxLength: 255,
  description: 'Names the request: sent again within 24 hours it is not done again, and answered alike.',
};

function membersOf(row: Route): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const part of ['params', 'query', 'body'] as const) {
    const schema = row[part];
    if (!schema) continue;
    for (const [name, member] of Object.entries(schema.shape) as [string, z.ZodType][]) {
      if (members.has(name)) throw new Error(`${row.id} has ${name} twice, so it cannot be a tool`);
      const optional = member.safeParse(undefined).success || (part === 'body' && row.bodyOptional === true);
      members.set(name, { part, schema: memberSchema(member, part), required: !optional });
    }
  }
  return members;
}

/** In a URL a flag is one of two words. */
function memberSchema(member: z.ZodType, part: Part): JsonSchema {
  const schema = toJsonSchema(member);
  const words = schema['enum'];
  const isFlag = part !== 'body' && Array.isArray(words) && words.length === 2 && words.includes('true');
  if (!isFlag) return schema;
  const { enum: _, type: __, ...rest } = schema;
  return { type: 'boolean', ...rest };
}

/** Paths and queries are text, however a model wrote the value. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}
