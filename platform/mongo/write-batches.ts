/** Writes of many callers, to any collections of a database, sent together: what comes while some are under way goes next. */
import { type Collection, type Db, type Document, MongoError, WriteConcern } from 'mongodb';

/** A command that takes longer than this no longer holds up the others. */
const SLOW_MS = 25;
const AT_ONCE = 8;
/** With the largest accounts that are sent this way, well within the 16 MiB of a command. */
const LARGEST = 300;

interface Insert<T extends Document> {
  insert: T;
}

interface Update<T extends Document> {
  /** Changes the one document that it finds. */
  filter: object;
  /** Operators, or the whole document anew. */
  update: Document | T;
  upsert?: boolean;
}

interface Waiting {
  collection: Collection;
  write: Insert<Document> | Update<Document>;
  resolve(written: boolean): void;
  reject(error: unknown): void;
}

/** What the engine says of each write. */
interface Result {
  idx: number;
  ok: number;
  n: number;
  code?: number;
  errmsg?: string;
}

const shared = new WeakMap<Db, WriteBatches>();

/**
 * A write on its own costs a round trip, its turn in the engine and a wait for the journal. Each of these is paid once a
 * batch; a write is acknowledged no earlier than it would be alone, and fails alone. No two writes may depend on each
 * other: one that needs another to be there waits for it before.
 */
export class WriteBatches {
  readonly #db: Db;
  #waiting: Waiting[] = [];
  #turn: NodeJS.Immediate | undefined;
  #again: NodeJS.Timeout | undefined;
  /** When each command began that is under way. */
  readonly #underWay = new Set<{ since: number }>();
  /** Known once it was tried: servers before MongoDB 8 take writes to one collection at a time. */
  #together = true;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Of all parts that write to this database, so that what they write at the same time goes together. */
  static of(db: Db): WriteBatches {
    const known = shared.get(db);
    if (known) return known;
    const batches = new WriteBatches(db);
    shared.set(db, batches);
    return batches;
  }

  /** Resolves when the write is durable. False: an update found no document, and did not make one. */
  write<T extends Document>(collection: Collection<T>, write: Insert<T> | Update<T>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ collection: collection as unknown as Collection, write, resolve, reject });
      // What else this turn brings goes along.
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        this.#next();
      });
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#mayBegin()) this.#begin();
    if (this.#waiting.length === 0) return;
    // Nobody else may come who would look whether those under way have become slow.
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#next();
    }, SLOW_MS);
  }

  #begin(): void {
    const batch = this.#waiting.splice(0, LARGEST);
    const command = { since: performance.now() };
    this.#underWay.add(command);
    void this.#send(batch).finally(() => {
      this.#underWay.delete(command);
      this.#next();
    });
  }

  /** One at a time, so that much goes together, unless those under way are slow. */
  #mayBegin(): boolean {
    if (this.#underWay.size === 0) return true;
    const recently = performance.now() - SLOW_MS;
    for (const { since } of this.#underWay) if (since > recently) return false;
    return this.#underWay.size < AT_ONCE;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = this.#together ? await this.#sendTogether(batch) : null;
      if (!results) {
        await Promise.all(batch.map(sendAlone));
        return;
      }
      const byIndex = new Map(results.map((result) => [result.idx, result]));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const result = byIndex.get(i);
        if (result?.ok === 1) resolve(result.n === 1);
        else reject(refusal(result));
      }
    } catch (error) {
      // Which of them took effect is not known.
      for (const { reject } of batch) reject(error);
    }
  }

  /** Null where the server has no such command. */
  async #sendTogether(batch: readonly Waiting[]): Promise<Result[] | null> {
    const places = new Map<string, number>();
    const ops = batch.map(({ collection: { namespace }, write }) => {
      const place = places.get(namespace) ?? places.size;
      places.set(namespace, place);
      if ('insert' in write) return { insert: place, document: write.insert };
      return { update: place, filter: write.filter, updateMods: write.update, upsert: write.upsert ?? false };
    });
    const command: Document = { bulkWrite: 1, ops, nsInfo: [...places.keys()].map((ns) => ({ ns })), ordered: false };
    const { writeConcern, bsonOptions } = this.#db;
    if (writeConcern) WriteConcern.apply(command, writeConcern);
    try {
      const answer = await this.#db.admin().command(command, { ...bsonOptions });
      const failed = answer['writeConcernError'] as { code: number; errmsg: string } | undefined;
      if (failed) throw refusal(failed);
      return answer['cursor'].firstBatch as Result[];
    } catch (error) {
      if (!(error instanceof MongoError && error.code === NO_SUCH_COMMAND)) throw error;
      this.#together = false;
      return null;
    }
  }
}

const NO_SUCH_COMMAND = 59;

async function sendAlone({ collection, write, resolve, reject }: Waiting): Promise<void> {
  try {
    if ('insert' in write) {
      await collection.insertOne(write.insert);
      resolve(true);
      return;
    }
    const { filter, update, upsert = false } = write;
    const isOperators = Object.keys(update).some((name) => name.startsWith('$'));
    const { matchedCount, upsertedCount } = isOperators
      ? await collection.updateOne(filter, update, { upsert })
      : await collection.replaceOne(filter, update, { upsert });
    resolve(matchedCount + upsertedCount === 1);
  } catch (error) {
    reject(error);
  }
}

function refusal(result: { code?: number; errmsg?: string } | undefined): MongoError {
  const error = new MongoError(result?.errmsg ?? 'the database said nothing of a write');
  if (result?.code !== undefined) error.code = result.code;
  return error;
}
