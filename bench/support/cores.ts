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
}

/** Also moves this process, which the load generator and the embedded engines belong to, off the measured core. */
export async function shareCores(): Promise<Cores> {
  const count = availableParallelism();
  try {
    if (count < 2) throw new Error('one core');
    await run('taskset', ['--all-tasks', '--cpu-list', '--pid', '1', String(process.pid)]);
  } catch {
    return {
      front: [],
      behind: [],
      all: [],
      note: 'Nothing is pinned: that needs taskset and two cores. Expect more noise.',
    };
  }
  const on = (list: string) => ['taskset', '--cpu-list', list];
  return {
    front: on('0'),
    behind: on('1'),
    all: on(`0-${count - 1}`),
    note: 'Measured processes run on core 0 (of first-run: on all), everything else on core 1.',
  };
}
