/** A store whose process dies, or falls asleep, before a chosen call to it. */
import type { Collection, Db } from 'mongodb';

const CALLS = new Set([
  'insertOne',
  'insertMany',
  'updateOne',
  'updateMany',
  'replaceOne',
  'deleteOne',
  'deleteMany',
  'findOne',
  'findOneAndUpdate',
  'bulkWrite',
]);
const CURSORS = new Set(['find', 'aggregate']);

export interface Interruption {
  /** Resolves when the call was reached. */
  interrupted: Promise<void>;
  /** Lets the process go on, if it is to go on at all. */
  resume(): void;
}

export interface Interruptible {
  db: Db;
  /** Before the n-th call from now on (from 0), once. */
  interruptBefore(call: number): Interruption;
}

export function interruptible(db: Db): Interruptible {
  let left = Number.POSITIVE_INFINITY;
  let reached = latch();
  let gate = latch();
  let stopped = false;

  async function step(): Promise<void> {
    if (!stopped && left-- > 0) return;
    // What the process does beside the call that is cut stands still as well.
    stopped = true;
    reached.open();
    await gate.opened;
  }

  function cursor(target: object): object {
    return new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'toArray') return async () => step().then(() => value.call(target));
        return (...args: unknown[]) => cursor(value.apply(target, args));
      },
    });
  }

  function collection(target: Collection): object {
    return new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (CURSORS.has(String(name))) return (...args: unknown[]) => cursor(value.apply(target, args));
        if (!CALLS.has(String(name))) return value.bind(target);
        return async (...args: unknown[]) => {
          await step();
          return value.apply(target, args);
        };
      },
    });
  }

  const command = async (...args: Parameters<Db['command']>) => {
    await step();
    return db.admin().command(...args);
  };

  const proxy = new Proxy(db, {
    get(_, name) {
      if (name === 'collection') return (of: string) => collection(db.collection(of));
      if (name === 'admin') return () => ({ command });
      const value = Reflect.get(db, name);
      return typeof value === 'function' ? value.bind(db) : value;
    },
  });
  return {
    db: proxy,
    interruptBefore(call) {
      left = call;
      reached = latch();
      gate = latch();
      stopped = false;
      const { open } = gate;
      const resume = () => {
        stopped = false;
        left = Number.POSITIVE_INFINITY;
        open();
      };
      return { interrupted: reached.opened, resume };
    },
  };
}

function latch(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
