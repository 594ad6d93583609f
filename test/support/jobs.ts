/** Jobs as workers write them, without any worker: the tests decide when a job changes. */
import { type Db, MongoClient } from 'mongodb';
import type { Events } from '../../platform/events.js';
import { newId } from '../../platform/ids.js';
import { announceJob } from '../../subgraphs/registry/job/job.changes.js';
import {
  JOBS,
  type JobDocument,
  JobState,
  OutputFormat,
  type StoredAsset,
} from '../../subgraphs/registry/job/job.model.js';
import { size } from '../../subgraphs/registry/model/sizes.js';

export interface JobWriter {
  db: Db;
  /** A queued job, which no worker takes. */
  add(owner: string, given?: Partial<JobDocument>): Promise<string>;
  /** The next change of a job, written and then told of. */
  move(id: string, state: JobState, given?: Partial<JobDocument>): Promise<void>;
  remove(id: string): Promise<void>;
  close(): Promise<void>;
}

export const PROCESSING = JobState.PROCESSING;
export const COMPLETED = JobState.COMPLETED;

export function resultOf(asset: Partial<StoredAsset>): Pick<JobDocument, 'result'> {
  const stored = { contentType: 'image/png', sizeBytes: 1, width: 1, height: 1, sha256: '0'.repeat(64), ...asset };
  return { result: { asset: stored, cutOut: null, seedUsed: 7 } };
}

export async function openJobWriter(mongoUrl: string, events?: Events, database = 'darkroom'): Promise<JobWriter> {
  const client = await MongoClient.connect(mongoUrl, { appName: 'a worker that the test is' });
  return jobWriter(client.db(database), events, () => client.close());
}

export function jobWriter(db: Db, events?: Events, close = async () => {}): JobWriter {
  const jobs = db.collection<JobDocument>(JOBS.name);
  const told = async (id: string) => {
    const job = events && (await jobs.findOne({ _id: id }, { projection: { owner: 1, changedAt: 1 } }));
    if (job) announceJob(events, job);
  };
  return {
    db,
    async add(owner, given = {}) {
      const job = queued(owner, given);
      await jobs.insertOne(job);
      await told(job._id);
      return job._id;
    },
    async move(id, state, given = {}) {
      const at = new Date();
      const ended = state !== JobState.PROCESSING;
      await jobs.updateOne(
        { _id: id },
        {
          $set: { state, changedAt: at, ...(ended && { completedAt: at }), ...given },
          $push: { changes: { state, at } },
        },
      );
      await told(id);
    },
    async remove(id) {
      const erased = await jobs.findOneAndUpdate(
        { _id: id },
        { $set: { erasing: true, changedAt: new Date() } },
        { returnDocument: 'after' },
      );
      if (erased && events) announceJob(events, erased);
    },
    close,
  };
}

export function queued(owner: string, given: Partial<JobDocument> = {}): JobDocument {
  const createdAt = new Date();
  return {
    _id: newId(),
    owner,
    tenantId: owner,
    ownerId: owner,
    state: JobState.QUEUED,
    changes: [{ state: JobState.QUEUED, at: createdAt }],
    changedAt: createdAt,
    qualityTier: 'draft',
    modelId: 'local/draft',
    originalPrompt: 'a lake',
    finalPrompt: 'a lake',
    enhancement: [],
    drawing: {
      size: size(64, 64),
      aspectRatio: null,
      params: {},
      seed: 7,
      source: false,
      mask: false,
      format: OutputFormat.PNG,
      quality: 90,
      preset: null,
      removeBackground: false,
    },
    result: null,
    failure: null,
    createdAt,
    completedAt: null,
    place: createdAt.getTime(),
    attempts: 0,
    cost: 1,
    ...given,
  };
}
