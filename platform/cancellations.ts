/** Work that is under way, so that another request, which may reach another process, can call it off by its name. */
import type { Events } from './events.js';

export class Cancellations {
  readonly #events: Events;
  readonly #topic: string;
  readonly #underWay = new Map<string, AbortController>();
  readonly #stopListening: () => void;

  constructor(events: Events, topic: string) {
    this.#events = events;
    this.#topic = topic;
    this.#stopListening = events.subscribe(topic, (name) => this.#underWay.get(name)?.abort());
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

  /** Nobody hears whether there was such work, and it may be past the point where it can be stopped. */
  cancel(name: string): void {
    this.#events.publish(this.#topic, name);
  }

  close(): void {
    this.#stopListening();
  }
}
