/** What the table of rights is made of. A kind of thing brings its operations; who may what is said in them alone. */
import type { ErrorSlug } from '../../../platform/errors.js';
import type { Account, Client } from '../../support/client.js';

export const CALLERS = [
  'owner',
  'view',
  'edit',
  'admin',
  'via team',
  'former member',
  'former grantee',
  'stranger',
  'anonymous',
] as const;
export type Caller = (typeof CALLERS)[number];

export const STATES = ['live', 'archived', 'deleted', 'below the floor'] as const;
export type State = (typeof STATES)[number];

/** `ok`, a refusal, or what else an operation tells apart. */
export type Outcome = 'ok' | 'not listed' | ErrorSlug;

export interface RestCall {
  method: string;
  path: string;
  body?: object;
  headers?: Record<string, string>;
}

export interface GraphCall {
  query: string;
  variables: object;
}

export interface Operation<S> {
  name: string;
  /** In which states there is something to ask; all of them when left out. */
  states?: readonly State[];
  outcome(caller: Caller, state: State): Outcome;
  rest(subject: S, state: State): RestCall;
  /** Left out where there are bytes and no graph. */
  graph?(subject: S, state: State): GraphCall;
  /** Whether a success leaves the thing other than it was. */
  changes?: boolean;
  /** What a success says beyond being one. The body is REST’s, or the value of the graph’s one root field. */
  told?(body: unknown, subject: S): Outcome;
}

export interface World {
  client: Client;
  people: Record<Exclude<Caller, 'anonymous'>, Account>;
  /** The one by which `via team` has access. */
  teamId: string;
  /** People beside them, to whom things are and can be given. */
  guest: Account;
  other: Account;
}

export interface Kind<S> {
  name: string;
  operations: readonly Operation<S>[];
  /** One that is in that state. */
  make(world: World, state: State): Promise<S>;
  /** The same for something that never was. */
  missing(subject: S): S;
}

/** A kind of whatever subject, as the table runs it. */
// biome-ignore lint/suspicious/noExplicitAny: each kind's operations take the subjects that it makes, and no others.
export type AnyKind = Kind<any>;
