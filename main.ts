#!/usr/bin/env node
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { admin, UsageError } from './cli/admin.js';
import type { Darkroom, Role } from './darkroom.js';
import { type Config, ConfigError, configTable, parseConfig, readEnvironment } from './platform/config.js';
import { EmbeddedError } from './platform/embedded/error.js';
import { createLog } from './platform/log.js';
import { SUBGRAPH_NAMES, type SubgraphName } from './platform/subgraph.js';
import { VERSION } from './platform/version.js';

const HELP = `darkroom ${VERSION}: an image platform API that you host yourself

Usage
  darkroom [start]          everything in one process; this is what npm start runs
  darkroom gateway          the front door alone; needs the four SUBGRAPH_…_URL
  darkroom subgraph NAME    one subgraph (${SUBGRAPH_NAMES.join(', ')}); needs MONGODB_URL and S3_ENDPOINT
  darkroom worker           background work alone; needs MONGODB_URL and S3_ENDPOINT
  darkroom admin …          what an operator may do; see darkroom admin --help
  darkroom config           the settings, their defaults and what is set here (secrets masked)
  darkroom completion SHELL the script by which bash, zsh or fish completes these words

All settings come from the environment, or from a .env file in the working directory.
`;

function isSubgraphName(name: string | undefined): name is SubgraphName {
  return (SUBGRAPH_NAMES as readonly (string | undefined)[]).includes(name);
}

function roleOf(words: readonly string[]): Role {
  const [kind = 'start', name, ...rest] = words;
  if (kind === 'subgraph' && isSubgraphName(name) && rest.length === 0) return { kind, name };
  if (kind === 'subgraph') throw new UsageError(`subgraph takes one of ${SUBGRAPH_NAMES.join(', ')}`);
  if ((kind === 'start' || kind === 'gateway' || kind === 'worker') && name === undefined) return { kind };
  throw new UsageError(`there is no command "${words.join(' ')}"`);
}

async function main(): Promise<void> {
  const [first, ...words] = process.argv.slice(2);
  if (first === 'admin') {
    silenceVendorNotice();
    process.exitCode = await admin(words, parseConfig(readEnvironment()));
    return;
  }
  if (first === 'completion' || first === '__complete') {
    const { completionAnswer } = await import('./cli/darkroom-words.js');
    const answer = completionAnswer([first, ...words]);
    if (answer === null) throw new UsageError('completion takes bash, zsh or fish');
    return void process.stdout.write(answer);
  }
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (values.version) return void process.stdout.write(`${VERSION}\n`);
  const environment = readEnvironment();
  if (positionals[0] === 'config') return void process.stdout.write(`${configTable(environment)}\n`);
  const role = roleOf(positionals);
  await run(parseConfig(environment), role);
}

/** The S3 client announces the end of its support for Node 20 at every start; that is for us to know, not for users. */
function silenceVendorNotice(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
}

async function run(config: Config, role: Role): Promise<void> {
  silenceVendorNotice();
  const log = createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, role: role.kind });
  // Loaded by those who run it: an operator's command must not wait for all of it.
  const { createDarkroom } = await import('./darkroom.js');
  const darkroom = await createDarkroom({ config, role, log });
  await darkroom.openAdmin();
  const address = await darkroom.listen().catch(async (error: unknown) => {
    await darkroom.close();
    throw unusable(error, config) ?? error;
  });
  closeOnSignal(darkroom, log);
  if (role.kind === 'start') greet(config, darkroom, address);
  log.info({ address, role: role.kind }, 'listening');
}

/** Why nobody can listen there, said as one would want to read it. */
function unusable(error: unknown, { HOST, PORT }: Config): ConfigError | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return new ConfigError(`PORT ${PORT} is in use by another program. Set another PORT.`);
  if (code === 'EACCES') return new ConfigError(`PORT ${PORT} is not for this user to listen on. Set another PORT.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new ConfigError(`HOST ${HOST} is no address of this machine`);
  return null;
}

const SHUTDOWN_MS = 25_000;

function closeOnSignal(darkroom: Darkroom, log: ReturnType<typeof createLog>): void {
  let closing = false;
  const close = (signal: string) => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'finishing what is under way; a second signal stops at once');
    setTimeout(() => {
      log.error('shutdown took too long');
      process.exit(1);
    }, SHUTDOWN_MS).unref();
    darkroom.close().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, 'shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
}

function greet(config: Config, { embedded, mongoUrl }: Darkroom, address: string): void {
  const base = config.PORT === 0 ? address : `http://localhost:${config.PORT}`;
  const json = "-H 'Content-Type: application/json'";
  const parts = embedded.length === 0 ? 'nothing' : embedded.join(', ');
  process.stdout.write(`
  Darkroom ${VERSION} is at ${base}

    Explorer    ${base}/graphql
    REST docs   ${base}/v1/docs
    Embedded    ${parts}; data in ${config.DATA_DIR}
    MongoDB     ${mongoUrl?.replace(/\/\/[^/@]*@/, '//…@')}

  Try it, line by line: ask for a sign-up code${config.SMTP_URL ? '' : ', which is printed here'}; type it after the second line

    curl -s ${base}/v1/register ${json} -d '{"email":"you@example.com"}'
    read -r CODE
    KEY=$(curl -s ${base}/v1/register/verify ${json} -d '{"email":"you@example.com","code":"'$CODE'"}' | sed 's/.*"api_key":"\\([^"]*\\)".*/\\1/')

  The key is kept in KEY. One question to four subgraphs, then a picture of your own:

    curl -s ${base}/graphql -H "Authorization: Bearer $KEY" ${json} -d '{"query":"{ me { email tier { slug } images(first: 3) { nodes { url } } generators(first: 3) { nodes { name } } } }"}'
    curl -s ${base}/v1/image-generators/system:image-standard/runs -H "Authorization: Bearer $KEY" ${json} -d '{"prompt":"A calm mountain lake at dawn"}'

`);
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError || error instanceof UsageError) {
    process.stderr.write(`darkroom: ${error.message}\n`);
    process.exit(2);
  }
  if (error instanceof EmbeddedError) {
    process.stderr.write(`darkroom: ${error.message}\n`);
    process.exit(1);
  }
  const parsing = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`darkroom: ${parsing ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(parsing ? 2 : 1);
});
