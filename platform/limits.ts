/** Counts what a key or network does in a window: in this process, or in Redis where several processes must agree. */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './errors.js';

export interface LimitState {
  limit: number;
  remaining: number;
  resetSeconds: number;
}

export interface RateLimiter {
  /** Throws rate_limited when the window is used up. */
  take(key: string): Promise<LimitState>;
}

export interface RateLimits {
  /** Null: the limit is switched off. */
  limiter(name: string, points: number, windowSeconds: number): RateLimiter | null;
  close(): Promise<void>;
}

export async function createRateLimits(redisUrl: string | undefined, log: Logger): Promise<RateLimits> {
  const redis = redisUrl === undefined ? null : await connect(redisUrl);
  redis?.on('error', (error) => log.warn({ err: error }, 'redis rate limits'));
  return {
    limiter(name, points, windowSeconds) {
      if (points === 0) return null;
      const options = { keyPrefix: `limit:${name}`, points, duration: windowSeconds };
      const memory = new RateLimiterMemory(options);
      // Without Redis each process still limits on its own: looser, never open.
      const counter = redis
        ? new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory })
        : memory;
      return { take: (key) => take(counter, key, points) };
    },
    async close() {
      redis?.disconnect();
    },
  };
}

/** The client is loaded by those who have a Redis. */
async function connect(url: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  return new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
}

async function take(counter: RateLimiterMemory | RateLimiterRedis, key: string, limit: number): Promise<LimitState> {
  try {
    return state(await counter.consume(key), limit);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new RateLimited(state(refusal, limit));
  }
}

function state(result: RateLimiterRes, limit: number): LimitState {
  const resetSeconds = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
  return { limit, remaining: Math.max(0, result.remainingPoints), resetSeconds };
}

export class RateLimited extends Problem {
  readonly state: LimitState;

  constructor(limitState: LimitState) {
    super('rate_limited', `Too many requests: try again in ${limitState.resetSeconds} s.`, {
      retryAfterSeconds: limitState.resetSeconds,
    });
    this.state = limitState;
  }
}
