/** What a row of a tool table says. A tool is a row of the route table under another name, so the two cannot drift apart. */
import type { Route } from '../rest-shim/route.js';

export interface Tool {
  name: string;
  /** The id of the row that the tool stands for. */
  row: string;
  /** Rows whose answers it gives as well. */
  also?: readonly string[];
  /** Said instead of the row's summary and description, where a model needs other words than a programmer. */
  description?: string;
  /** The inputs that are offered; all of the row's when left out. */
  inputs?: readonly string[];
  /** Inputs that the row can do without and the tool cannot. */
  required?: readonly string[];
  /** It changes nothing, although its row is no GET. */
  reads?: boolean;
  /** What it does cannot be undone. */
  destroys?: boolean;
  /** Its answer holds texts that users of the server wrote. */
  stored?: boolean;
  /** It takes seconds: a client that wants to hear of its progress does, and may call it off. */
  slow?: boolean;
  /** Inputs that the tool gives itself, and does not offer. */
  fixed?: Readonly<Record<string, unknown>>;
  /** Its answer has other members than its row says, or more of them. */
  freeForm?: boolean;
  /** The answer in words, where a model reads words better than the data. */
  say?(body: Record<string, unknown>): string;
}

export interface Annotations {
  title: string;
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
}

export function annotationsOf(tool: Tool, row: Route): Annotations {
  const readOnlyHint = tool.reads ?? row.method === 'GET';
  return {
    title: row.summary,
    readOnlyHint,
    destructiveHint: tool.destroys ?? false,
    idempotentHint: readOnlyHint || row.method === 'DELETE' || row.method === 'PATCH',
    // Nothing but this server is reached, except by what draws.
    openWorldHint: tool.slow ?? false,
  };
}

export function descriptionOf(tool: Tool, row: Route): string {
  return tool.description ?? [`${row.summary}.`, row.description].filter((part) => part !== undefined).join(' ');
}
