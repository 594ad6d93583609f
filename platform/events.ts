/** Small notices between parts and processes. They carry hints for caches; nothing may depend on their arrival. */

export interface Events {
  publish(topic: string, payload: string): void;
  /** Returns the way to stop listening. */
  subscribe(topic: string, listener: (payload: string) => void): () => void;
  close(): Promise<void>;
}

export class LocalEvents implements Events {
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();

  publish(topic: string, payload: string): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener(payload);
  }

  subscribe(topic: string, listener: (payload: string) => void): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(topic);
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}

/** A user's profile, keys or standing changed: whoever remembers that user forgets. The payload is the bare user id. */
export const IDENTITY_CHANGED = 'identity-changed';

/** An image is no longer what it was: private, public, gone, or to end at another time. The payload is its token. */
export const IMAGE_CHANGED = 'image-changed';

/** A job's state is no longer what it was. The payload is the job's id and its owner, with a space between them. */
export const JOB_CHANGED = 'job-changed';

/** Jobs wait for a worker. The payload is how many. */
export const JOB_QUEUED = 'job-queued';

/** An agent has called off what it asked for. The payload is the name of the call. */
export const MCP_CANCELLED = 'mcp-cancelled';

/** A run is called off by whoever asked for it. The payload is a hash of the caller and the request's name. */
export const RUN_CANCELLED = 'run-cancelled';
