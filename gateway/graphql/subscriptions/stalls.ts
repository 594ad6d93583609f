/** Finds clients that take nothing of what is sent to them, and lets them go: what waits for them takes memory from others. */
import type { Socket } from 'node:net';

const LOOK_MS = 1_000;

interface Watched {
  socket: Socket;
  /** What the system had taken for the client when something was last seen to move. */
  taken: number;
  since: number;
  drop(): void;
}

export class Stalls {
  readonly #stallMs: number;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, stallMs / 2)).unref();
  }

  /** Returns the way to stop watching. */
  watch(socket: Socket, drop: () => void): () => void {
    const watched = { socket, taken: 0, since: Date.now(), drop };
    this.#watched.add(watched);
    return () => this.#watched.delete(watched);
  }

  #look(): void {
    const now = Date.now();
    for (const watched of [...this.#watched]) {
      const { writableLength, bytesWritten } = watched.socket;
      const taken = bytesWritten - writableLength;
      if (writableLength === 0 || taken > watched.taken) {
        watched.taken = taken;
        watched.since = now;
      } else if (now - watched.since > this.#stallMs) {
        this.#watched.delete(watched);
        watched.drop();
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
