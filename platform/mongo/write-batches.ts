/** Writes of many callers to one collection, sent together: what comes while some are under way goes with the next. */
import { type AnyBulkWriteOperation, type Collection, type Document, MongoBulkWriteError, MongoError } from 'mongodb';

const AT_ONCE = 2;
const LARGEST = 100;

interface Waiting<T extends Document> {
  operation: AnyBulkWriteOperation<T>;
  resolve(allMatched: boolean): void;
  reject(error: unknown): void;
}

/**
 * A write on its own costs a round trip, its turn in the engine and a wait for the journal. Each of these is paid once a
 * batch; a write is acknowledged no earlier than it would be alone, and fails alone.
 */
export class WriteBatches<T extends Document> {
  readonly #collection: Collection<T>;
  #waiting: Waiting<T>[] = [];
  #underWay = 0;

  constructor(collection: Collection<T>) {
    this.#collection = collection;
  }

  /**
   * Resolves when the write is durable. The engine counts matches of a batch only as a whole: true says that every update
   * in it found its document, false that one did not, perhaps this one.
   */
  write(operation: AnyBulkWriteOperation<T>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#underWay === AT_ONCE || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, LARGEST);
    this.#underWay += 1;
    void this.#send(batch).finally(() => {
      this.#underWay -= 1;
      this.#next();
    });
  }

  async #send(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const operations = batch.map(({ operation }) => operation);
      const { insertedCount, matchedCount, upsertedCount } = await this.#collection.bulkWrite(operations, {
        ordered: false,
      });
      const allMatched = insertedCount + matchedCount + upsertedCount === batch.length;
      for (const { resolve } of batch) resolve(allMatched);
    } catch (error) {
      const refused = refusedIn(error);
      for (const [i, { resolve, reject }] of batch.entries()) {
        const own = refused ? refused.get(i) : error;
        if (own === undefined) resolve(false);
        else reject(own);
      }
    }
  }
}

/** Which writes of a batch were refused, where that is all that went wrong. */
function refusedIn(error: unknown): Map<number, MongoError> | null {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return null;
  const refused = new Map<number, MongoError>();
  for (const { index, code, errmsg } of [error.writeErrors].flat()) {
    const own = new MongoError(errmsg ?? 'a write was refused', { cause: error });
    own.code = code;
    refused.set(index, own);
  }
  return refused.size > 0 ? refused : null;
}
