import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type Events, LocalEvents } from './events.js';

/** Events for several processes. A process hears its own notices at once, before Redis answers. */
export class RedisEvents implements Events {
  readonly #local = new LocalEvents();
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #self: string;
  readonly #prefix = 'darkroom:';

  constructor(url: string, self: string, log: Logger) {
    this.#self = self;
    this.#publisher = new Redis(url, { lazyConnect: false, maxRetriesPerRequest: 1, enableOfflineQueue: false });
    this.#subscriber = new Redis(url);
    for (const client of [this.#publisher, this.#subscriber]) {
      client.on('error', (error) => log.warn({ err: error }, 'redis events'));
    }
    this.#subscriber.psubscribe(`${this.#prefix}*`).catch((error) => log.warn({ err: error }, 'redis subscribe'));
    this.#subscriber.on('pmessage', (_pattern: string, channel: string, message: string) => {
      const space = message.indexOf(' ');
      if (message.slice(0, space) === this.#self) return;
      this.#local.publish(channel.slice(this.#prefix.length), message.slice(space + 1));
    });
  }

  publish(topic: string, payload: string): void {
    this.#local.publish(topic, payload);
    // Without the notice other processes learn of the change when their cache entry ages out.
    this.#publisher.publish(this.#prefix + topic, `${this.#self} ${payload}`).catch(() => {});
  }

  subscribe(topic: string, listener: (payload: string) => void): () => void {
    return this.#local.subscribe(topic, listener);
  }

  async close(): Promise<void> {
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    await this.#local.close();
  }
}
