/** A store whose process dies, or falls asleep, before a chosen call to it. */
import type { Collection, Db } from 'mongodb';

const CALLS = new Set([
  'insertOne',
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

  async function step(): Promise<void> {
    if (left-- > 0) return;
    left = Number.POSITIVE_INFINITY;
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

  const proxy = new Proxy(db, {
    get(_, name) {
      if (name === 'collection') return (of: string) => collection(db.collection(of));
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
      return { interrupted: reached.opened, resume: gate.open };
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
