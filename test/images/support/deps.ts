import type { Db } from 'mongodb';
import { pino } from 'pino';
import { LocalEvents } from '../../../platform/events.js';
import type { ObjectStore } from '../../../platform/s3.js';
import { Secrets } from '../../../platform/secrets.js';
import type { ImagesDeps } from '../../../subgraphs/images/subgraph.js';
import { SECRET_KEY } from '../../support/platform.js';

/** The images subgraph as it is set up by default, but for what a test says. */
export function imagesDeps(
  db: Db,
  store: ObjectStore,
  now: () => Date,
  settings: Partial<ImagesDeps['settings']> = {},
) {
  return {
    db,
    store,
    settings: {
      publicUrl: 'http://here.test',
      maxUploadBytes: 26_214_400,
      anonymousTtlHours: 24,
      outputHosts: [],
      storageQuota: 0,
      allowPrivateFetch: false,
      backgroundRemover: null,
      ...settings,
    },
    secrets: new Secrets(SECRET_KEY),
    events: new LocalEvents(),
    log: pino({ level: 'silent' }),
    now,
  } satisfies ImagesDeps;
}
