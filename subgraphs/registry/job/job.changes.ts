/** How a job's changes are kept, so that whoever watches it is shown each of them, in order, however late they look. */
import { type Events, JOB_CHANGED } from '../../../platform/events.js';

/** What a job's document has for those who watch it. All of it is written by the update that changes the state. */
export interface Watched<State extends string> {
  _id: string;
  /** Whose job it is: the tenant's id, or the keyed hash of the network of who has no account. */
  owner: string;
  state: State;
  /**
   * Every state that the job has had, the oldest first; the last one is `state`. How many there are is the job's revision.
   * A claim of a job that is being processed already changes no state and adds nothing.
   */
  changes: readonly { state: State; at: Date }[];
  /** When the last of them was written. Indexed, alone and after the owner: processes without Redis look for news here. */
  changedAt: Date;
}

interface JobNotice {
  id: string;
  owner: string;
  /** When the change was made that it tells of, by the clock of whoever made it. */
  at: number;
}

type Announced = Pick<Watched<string>, '_id' | 'owner' | 'changedAt'>;

/** After each write that changed the state, once it is durable. */
export function announceJob(events: Events, { _id, owner, changedAt }: Announced): void {
  events.publish(JOB_CHANGED, `${_id} ${owner} ${changedAt.getTime()}`);
}

export function readNotice(payload: string): JobNotice {
  const [id = '', owner = '', at = ''] = payload.split(' ');
  return { id, owner, at: Number(at) };
}
