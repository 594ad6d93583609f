/** Writes of many callers, to any collections of a database, sent together. */
import { type Collection, type Db, type Document, MongoError, WriteConcern } from 'mongodb';
import { Gathering } from './gathering.js';

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

/** A part of what many want of one document at the same time. */
interface Share<T extends Document, P> {
  /** Names the document. */
  of: string;
  part: P;
  /** The one update for all parts that go together. It must be as good as each of them alone, or find nothing. */
  update(parts: readonly P[]): Update<T>;
}

interface Waiting<W = Insert<Document> | Update<Document>> {
  collection: Collection;
  write: W;
  resolve(written: boolean): void;
  reject(error: unknown): void;
}

type Wanted = Waiting<Insert<Document> | Update<Document> | Share<Document, unknown>>;

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
 * other: one that needs another to be there waits for it before. Only shares fail and are refused together, and come after
 * everything else of their batch.
 */
export class WriteBatches {
  readonly #db: Db;
  readonly #gathering = new Gathering<Wanted>((batch) => this.#send(batch), LARGEST);
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
    return this.#add(collection, write);
  }

  /** The same for a share. False: all that went together found no document; one of them alone may find it. */
  share<T extends Document, P>(collection: Collection<T>, share: Share<T, P>): Promise<boolean> {
    return this.#add(collection, share as Share<T, unknown>);
  }

  #add<T extends Document>(collection: Collection<T>, write: Wanted['write']): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#gathering.add({ collection: collection as unknown as Collection, write, resolve, reject });
    });
  }

  async #send(wanted: readonly Wanted[]): Promise<void> {
    try {
      const batch = joined(wanted);
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
      for (const { reject } of wanted) reject(error);
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

function joined(wanted: readonly Wanted[]): Waiting[] {
  const alone: Waiting[] = [];
  const shares = new Map<string, Waiting<Share<Document, unknown>>[]>();
  for (const { collection, write, resolve, reject } of wanted) {
    if (!('part' in write)) {
      alone.push({ collection, write, resolve, reject });
      continue;
    }
    const of = `${collection.namespace} ${write.of}`;
    const others = shares.get(of);
    const share = { collection, write, resolve, reject };
    if (others) others.push(share);
    else shares.set(of, [share]);
  }
  return [...alone, ...[...shares.values()].map(together)];
}

function together(shares: readonly Waiting<Share<Document, unknown>>[]): Waiting {
  const [{ collection, write }] = shares as [Waiting<Share<Document, unknown>>];
  return {
    collection,
    write: write.update(shares.map(({ write: { part } }) => part)),
    resolve: (written) => shares.forEach(({ resolve }) => void resolve(written)),
    reject: (error) => shares.forEach(({ reject }) => void reject(error)),
  };
}

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
