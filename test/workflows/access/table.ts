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

export type State = 'live' | 'archived' | 'deleted' | 'below the floor' | 'deprecated' | 'unpublished';

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
  /** In which states there is something to ask; all that the kind has when left out. */
  states?: readonly State[];
  outcome(caller: Caller, state: State): Outcome;
  rest(subject: S, state: State): RestCall;
  /** Left out where there are bytes and no graph. */
  graph?(subject: S, state: State): GraphCall;
  /** Whether, or in which states, a success leaves the thing other than it was. */
  changes?: boolean | readonly State[];
  /** What a success says beyond being one. The body is REST’s, or the value of the graph’s one root field. */
  told?(body: unknown, subject: S): Outcome;
}

export interface World {
  client: Client;
  people: Record<Exclude<Caller, 'anonymous'>, Account>;
  /** The one by which `via team` has access. */
  teamId: string;
  /** The owner’s. */
  handle: string;
  /** People beside them, to whom things are and can be given. */
  guest: Account;
  other: Account;
}

export interface Kind<S> {
  name: string;
  states: readonly State[];
  /** Those in which a stranger is told nothing. */
  hidden: readonly State[];
  /** Who is asked about in the short form; all when left out. */
  callers?: readonly Caller[];
  /** The first one reads. */
  operations: readonly Operation<S>[];
  /** One that is in that state; for that caller alone, when one is named. */
  make(world: World, state: State, by?: Caller): Promise<S>;
  /** The same for something that never was. */
  missing(subject: S): S;
}

/** A kind of whatever subject, as the table runs it. */
// biome-ignore lint/suspicious/noExplicitAny: each kind's operations take the subjects that it makes, and no others.
export type AnyKind = Kind<any>;
