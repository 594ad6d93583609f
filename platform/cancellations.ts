/** Work that is under way, so that another request, which may reach another process, can call it off by its name. */
import type { Events } from './events.js';

export class Cancellations {
  readonly #events: Events;
  readonly #topic: string;
  /** A request may come twice. Which of them does the work is not known here. */
  readonly #underWay = new Map<string, Set<AbortController>>();
  readonly #stopListening: () => void;

  constructor(events: Events, topic: string) {
    this.#events = events;
    this.#topic = topic;
    this.#stopListening = events.subscribe(topic, (name) => {
      for (const controller of this.#underWay.get(name) ?? []) controller.abort();
    });
  }

  open(name: string): { signal: AbortSignal; close(): void } {
    const controller = new AbortController();
    const all = this.#underWay.get(name) ?? new Set();
    this.#underWay.set(name, all.add(controller));
    return {
      signal: controller.signal,
      close: () => {
        all.delete(controller);
        if (all.size === 0 && this.#underWay.get(name) === all) this.#underWay.delete(name);
      },
    };
  }

  /** Nobody hears whether there was such work, and it may be past the point where it can be stopped. */
  cancel(name: string): void {
    this.#events.publish(this.#topic, name);
  }

  close(): void {
    this.#stopListening();
  }
}
