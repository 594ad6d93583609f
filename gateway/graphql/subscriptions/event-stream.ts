/**
 * One subscription: the events after a cursor, fetched when the client is ready for the next one. Nothing is kept for a
 * client that is slow, so there is nothing that could overflow.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FetchNode } from '@apollo/query-planner';
import type { GraphQLFormattedError } from 'graphql';
import { Problem } from '../../../platform/errors.js';
import type { GraphResponse, PullResponse } from '../../../platform/graph/execute.js';
import type { Scope } from '../../../platform/scope.js';
import type { OperationResult, Operations, PreparedOperation, Variables } from '../operations.js';
import type { News } from './news.js';

export interface EventStreamDeps {
  operations: Pick<Operations, 'pull' | 'complete'>;
  news: News;
  prepared: PreparedOperation;
  events: FetchNode;
  variables: Variables;
  /** Who the caller is at this moment; throws for one that may no longer. */
  scope(): Promise<Scope>;
  onEvent(): void;
  /** Once, whatever ended it. */
  onEnd(): void;
}

const DONE = { done: true, value: undefined } as const;
/** A subgraph that restarts is waited for. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;

/** Written by hand: an async generator's return() waits for the event that its next() waits for. */
export class EventStream implements AsyncIterableIterator<OperationResult> {
  readonly #deps: EventStreamDeps;
  #pending: GraphResponse[] = [];
  #cursor: string | null = null;
  /** No event comes after the pending ones. */
  #ended = false;
  #closed = false;
  #mayBeMore = true;
  #wakeUp: (() => void) | null = null;
  #unwatch: (() => void) | null = null;

  constructor(deps: EventStreamDeps) {
    this.#deps = deps;
  }

  /** The refusal, where the caller is not told of these events at all. */
  async begin(): Promise<OperationResult | null> {
    try {
      const answer = await this.#ask();
      if (!('errors' in answer)) return null;
      this.#close();
      return { errors: answer.errors };
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async next(): Promise<IteratorResult<OperationResult, undefined>> {
    for (;;) {
      if (this.#closed) return DONE;
      const event = this.#pending.shift();
      if (event) return this.#deliver(event);
      if (this.#ended) {
        this.#close();
        return DONE;
      }
      if (this.#mayBeMore) {
        const errors = await this.#look();
        if (errors) return { done: false, value: { errors } };
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
        });
      }
    }
  }

  async #deliver(event: GraphResponse): Promise<IteratorResult<OperationResult, undefined>> {
    const { operations, prepared, variables, scope, onEvent } = this.#deps;
    let value: OperationResult;
    try {
      value = await operations.complete(prepared, variables, await scope(), event);
    } catch (error) {
      // Whoever loops over this does not end what has failed.
      this.#close();
      throw error;
    }
    if (this.#closed) return DONE;
    onEvent();
    return { done: false, value };
  }

  /** Errors end the subscription. */
  async #look(): Promise<readonly GraphQLFormattedError[] | null> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      // Before asking, so that what is heard meanwhile is looked at afterwards.
      this.#mayBeMore = false;
      const failure = await this.#ask().then(
        (answer) => ('errors' in answer ? answer.errors : null),
        (error: unknown) => error,
      );
      if (failure === null || this.#closed) return null;
      if (!isTransient(failure) || Date.now() > deadline) {
        this.#close();
        if (Array.isArray(failure)) return failure;
        throw failure;
      }
      await pause(RETRY_MS * (0.5 + Math.random()));
    }
  }

  async #ask(): Promise<PullResponse> {
    const { operations, news, events, variables, scope } = this.#deps;
    const answer = await operations.pull(events, variables, await scope(), this.#cursor);
    if ('errors' in answer || this.#closed) return answer;
    this.#pending = answer.events;
    this.#cursor = answer.cursor;
    this.#ended = answer.ended;
    if (!this.#unwatch && !answer.ended) {
      this.#unwatch = news.watch(answer.topic, () => this.#hear());
      // What changed between the reading of this answer and now was told to nobody.
      this.#mayBeMore = true;
    }
    return answer;
  }

  #hear(): void {
    this.#mayBeMore = true;
    this.#wakeUp?.();
    this.#wakeUp = null;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deps.onEnd();
    this.#pending = [];
    this.#unwatch?.();
    this.#unwatch = null;
    this.#hear();
  }

  async return(): Promise<IteratorResult<OperationResult, undefined>> {
    this.#close();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<OperationResult, undefined>> {
    this.#close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function isTransient(failure: unknown): boolean {
  if (failure instanceof Problem) return failure.slug === 'unavailable';
  if (!Array.isArray(failure)) return false;
  return failure.every((error) => error?.extensions?.code === 'unavailable');
}
