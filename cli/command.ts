/** What a row of a command table says. A command is a call of the REST API, in words and flags. */

import type { Api } from './api.js';
import type { Environment } from './credentials.js';
import type { Activity } from './terminal/activity.js';
import type { Format, Terminal } from './terminal/terminal.js';

export type Part = 'path' | 'query' | 'body';

export interface Input {
  /** As the API calls it. */
  name: string;
  in: Part;
  help: string;
  /** Text when left out; `json` is a value written as JSON. */
  kind?: 'text' | 'number' | 'flag' | 'list' | 'json';
  choices?: readonly string[];
}

export interface Argument extends Input {
  optional?: boolean;
}

export interface Option extends Input {
  /** Of the flag, where it is not the API's. */
  flag?: string;
  /** Of one letter. */
  short?: string;
  required?: boolean;
  default?: string;
}

/** What the person at the terminal gave, by the names of the API. */
export type Given = Readonly<Record<string, unknown>>;

export interface Context {
  api: Api;
  terminal: Terminal;
  environment: Environment;
  format: Format;
  /** Told on a terminal while it is under way. */
  activity(text: string): Activity;
}

export interface Command {
  /** With the nouns before it: images set-ttl. */
  words: string;
  /** The row of the route table that it stands for: GET /v1/images. None for what stays on this machine. */
  call?: string;
  help: string;
  /** Said below the help: how it is used. */
  examples?: readonly string[];
  arguments?: readonly Argument[];
  options?: readonly Option[];
  /** Members of the call that the command gives itself. */
  fixed?: Given;
  /** A list: its member with the items, and the columns of the table. */
  list?: { items?: string; columns: readonly string[] };
  /** What cannot be taken back; asked before. */
  confirm?(given: Given): string;
  /** Works without credentials, and never sends them with --anonymous. */
  anonymous?: boolean;
  /** What it prints is for whoever reads next, a pipe included: JSON only when asked for. */
  plain?: boolean;
  timeoutMs?: number;
  /** The result for people, where it is not the usual one. */
  show?(body: Record<string, unknown>, given: Given): string;
  /** Instead of the plain call. Writes its own result. */
  run?(given: Given, context: Context): Promise<void>;
  /** Whether the call has failed although it was answered. */
  failed?(body: Record<string, unknown>): string | null;
}
