#!/usr/bin/env node
import { GOODEYE } from './goodeye/commands.js';
import { run } from './run.js';

await run({
  name: 'goodeye',
  description: 'Workflows, templates, verifiers, image generators and hosted images, from a terminal.',
  commands: GOODEYE,
  nouns: {
    auth: 'your API keys',
    images: 'hosted images',
    'image-generators': 'image generators, and pictures made with them',
    verifiers: 'verifiers, and judgements by them',
    workflows: 'private runbooks',
    templates: 'public runbooks',
    teams: 'teams',
    invitations: 'what is offered to you, and what you offer',
  },
  keyVariable: 'GOODEYE_API_KEY',
  signIn: 'Sign in with goodeye login, or set GOODEYE_API_KEY.',
  epilogue: `The first minute:
  goodeye register you@example.com            a code comes by mail
  goodeye register-verify you@example.com CODE
  goodeye image-generators generate --prompt "A calm mountain lake at dawn" --output lake.png

Results go to stdout: as tables on a terminal, as one line of JSON to a pipe; --json and --table choose. Everything else
goes to stderr. The status is 0 on success, 1 on failure, 2 for a mistake in the command line.

GOODEYE_SERVER names the server (http://localhost:4000 when nothing does), GOODEYE_API_KEY a key to use instead of the
one that you signed in with, which is kept in $XDG_CONFIG_HOME/goodeye/credentials.json.`,
});
