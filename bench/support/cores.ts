/** Keeps what is measured and what measures it on different cores. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Cores {
  /** Put before a command to run it on the core of what is measured. */
  front: readonly string[];
  /** The same for everything else: load, databases, subgraphs in processes of their own. */
  behind: readonly string[];
  /** The same for a process that is measured as a machine gives it to its user, with every core. */
  all: readonly string[];
  note: string;
  /** For the time of some work lets this process, with the engines in it, use every core too. */
  unpinned<T>(work: () => Promise<T>): Promise<T>;
}

/** Also moves this process, which the load generator and the embedded engines belong to, off the measured core. */
export async function shareCores(): Promise<Cores> {
  const count = availableParallelism();
  try {
    if (count < 2) throw new Error('one core');
    await moveTo('1');
  } catch {
    return {
      front: [],
      behind: [],
      all: [],
      note: 'Nothing is pinned: that needs taskset and two cores. Expect more noise.',
      unpinned: (work) => work(),
    };
  }
  const on = (list: string) => ['taskset', '--cpu-list', list];
  const every = `0-${count - 1}`;
  return {
    front: on('0'),
    behind: on('1'),
    all: on(every),
    note: 'Measured processes run on core 0, everything else on core 1, but where a section says otherwise.',
    async unpinned(work) {
      await moveTo(every);
      try {
        return await work();
      } finally {
        await moveTo('1');
      }
    },
  };
}

async function moveTo(list: string): Promise<void> {
  await run('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(process.pid)]);
}
