#!/usr/bin/env node
import { IMGFORGE } from './imgforge/commands.js';
import { run } from './run.js';

await run({
  name: 'imgforge',
  description: 'Pictures from a prompt, from a terminal.',
  commands: IMGFORGE,
  nouns: { jobs: 'generation jobs' },
  keyVariable: 'IMGFORGE_API_KEY',
  keyFlag: true,
  signIn: 'Set IMGFORGE_API_KEY to a key of yours, or sign in with goodeye login.',
  epilogue: `IMGFORGE_API_KEY holds the key; without it the one that goodeye signed in with is used, and without that what anybody
may do. GOODEYE_SERVER names the server (http://localhost:4000 when nothing does).

The address of the picture goes to stdout, everything else to stderr; to a pipe, and with --json, the job as one line of
JSON. The status is 0 on success, 1 on failure, 2 for a mistake in the command line.`,
});
