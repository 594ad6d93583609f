/** What a section of the benchmark is given, and what it hands back. Sections are listed in main.ts. */
import type { Cores } from './support/cores.js';
import type { Spread } from './support/statistics.js';
import type { World } from './support/world.js';

export interface Settings {
  rounds: number;
  seconds: number;
}

export interface Bench {
  world: World;
  cores: Cores;
  settings: Settings;
  /** Where CPU profiles of our own processes go; undefined: none are made. */
  profileDir: string | undefined;
  say(line: string): void;
}

export interface Section {
  name: string;
  summary: string;
  run(bench: Bench): Promise<Row[]>;
}

/** One line of the table. */
export interface Row {
  group: string;
  name: string;
  requestsPerSecond: Spread;
  p99Ms: number;
  /** Processor time a request took, in microseconds: it varies less than throughput when others use the machine. */
  cpu: { front: number; behind: number; database: number };
  /** Ratios are formed round by round, of neighbours in time. */
  ratio: (Spread & { to: string; target: number | undefined }) | undefined;
}
