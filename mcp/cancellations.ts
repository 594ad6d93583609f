/** Calls that are under way, so that another request, which may reach another process, can call one off. */
import { type Events, MCP_CANCELLED } from '../platform/events.js';

export class Cancellations {
  readonly #events: Events;
  readonly #underWay = new Map<string, AbortController>();
  readonly #stopListening: () => void;

  constructor(events: Events) {
    this.#events = events;
    this.#stopListening = events.subscribe(MCP_CANCELLED, (name) => this.#underWay.get(name)?.abort());
  }

  open(name: string): { signal: AbortSignal; close(): void } {
    const controller = new AbortController();
    this.#underWay.set(name, controller);
    return {
      signal: controller.signal,
      close: () => {
        if (this.#underWay.get(name) === controller) this.#underWay.delete(name);
      },
    };
  }

  cancel(name: string): void {
    this.#events.publish(MCP_CANCELLED, name);
  }

  close(): void {
    this.#stopListening();
  }
}
