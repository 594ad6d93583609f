/** `darkroom admin …`: asks the running process, or opens the store itself when none runs. */
import { userInfo } from 'node:os';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type AdminAnswer, callAdmin } from '../platform/admin.js';
import type { Config } from '../platform/config.js';
import { newId } from '../platform/ids.js';
import { createLog } from '../platform/log.js';

/** A mistake of the person at the terminal. */
export class UsageError extends Error {}

export interface Call {
  path: string;
  body: object;
  /** The act that the command is, when it is one. */
  act?: string;
}

type Values = Readonly<Record<string, string | undefined>>;
type Flags = Readonly<Record<string, boolean | undefined>>;

interface Command {
  usage: string;
  help: string;
  /** How many words follow the verb. */
  words: number;
  options: readonly string[];
  /** Options without a value. */
  flags?: readonly string[];
  /** Whether it changes something, and so is an act on record. */
  acts: boolean;
  call(words: readonly string[], values: Values, flags: Flags): Call;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  suspend: {
    usage: 'suspend USER [--reason TEXT]',
    help: 'refuse the account spending, publishing and new keys',
    words: 1,
    options: ['reason'],
    acts: true,
    call: ([user]) => ({ path: '/suspension', body: { user, suspended: true } }),
  },
  reinstate: {
    usage: 'reinstate USER [--reason TEXT]',
    help: 'lift that',
    words: 1,
    options: ['reason'],
    acts: true,
    call: ([user]) => ({ path: '/suspension', body: { user, suspended: false } }),
  },
  grant: {
    usage: 'grant USER (--credits N | --usd AMOUNT) [--expires DATE] [--reason TEXT]',
    help: 'give credits for /v2 or dollars for /v1',
    words: 1,
    options: ['credits', 'usd', 'expires', 'reason'],
    acts: true,
    call: ([user], { credits, usd, expires }) => ({
      path: '/grant',
      body: { user, ...readAmount(credits, usd), expires: readDate('expires', expires) },
    }),
  },
  tier: {
    usage: 'tier USER hobby|pro [--reason TEXT]',
    help: 'set what /v1 refills to; a Pro or Agency plan makes it pro by itself',
    words: 2,
    options: ['reason'],
    acts: true,
    call: ([user, tier]) => ({ path: '/tier', body: { user, tier } }),
  },
  plan: {
    usage: 'plan USER free|pro|agency [--until DATE] [--reason TEXT]',
    help: 'give a plan with its monthly credits; free takes a given one away',
    words: 2,
    options: ['until', 'reason'],
    acts: true,
    call: ([user, plan], { until }) => ({ path: '/plan', body: { user, plan, until: readDate('until', until) } }),
  },
  show: {
    usage: 'show USER',
    help: 'plan, tier, money and credits of an account',
    words: 1,
    options: [],
    acts: false,
    call: ([user]) => ({ path: '/account', body: { user } }),
  },
  images: {
    usage: 'images check [--mend]',
    help: 'objects without a record, and the reverse; --mend clears both away',
    words: 1,
    options: [],
    flags: ['mend'],
    acts: false,
    call: ([verb], _values, { mend = false }) => {
      if (verb !== 'check') throw new UsageError('admin takes: images check [--mend]');
      return { path: '/images-check', body: { mend } };
    },
  },
  audit: {
    usage: 'audit [--user USER] [--limit N] [--after CURSOR]',
    help: 'what operators did, the newest first',
    words: 0,
    options: ['user', 'limit', 'after'],
    acts: false,
    call: (_words, { user, limit, after }) => ({
      path: '/audit',
      body: { user: user ?? null, limit: limit === undefined ? 20 : Number(limit), after: after ?? null },
    }),
  },
};

export const ADMIN_WORDS = Object.entries(COMMANDS).map(([verb, { options, flags = [], acts }]) => ({
  verb,
  options: acts ? [...options, 'act'] : options,
  flags,
}));

const WIDTH = 46;

export const ADMIN_HELP = `darkroom admin: what an operator may do

${Object.values(COMMANDS)
  .map(({ usage, help }) =>
    usage.length < WIDTH ? `  ${usage.padEnd(WIDTH)}${help}` : `  ${usage}\n  ${' '.repeat(WIDTH)}${help}`,
  )
  .join('\n')}

USER is an id, an e-mail address or a handle. Every act is on record (audit) under an id that its answer shows. When a
command was cut off, repeat it with --act and that id, or with one of your own (a UUID): it is done once.
`;

function readAmount(credits: string | undefined, usd: string | undefined) {
  if ((credits === undefined) === (usd === undefined))
    throw new UsageError('grant takes --credits or --usd, one of them');
  if (credits !== undefined) {
    if (!/^[1-9]\d{0,8}$/.test(credits)) throw new UsageError('--credits must be a whole number from 1');
    return { unit: 'CREDITS', amount: Number(credits) };
  }
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(usd ?? '') || Number(usd) === 0) {
    throw new UsageError('--usd must be an amount of dollars with at most six decimals');
  }
  return { unit: 'USD_MICROS', amount: Math.round(Number(usd) * 1_000_000) };
}

function readDate(name: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const date = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(date.getTime())) {
    throw new UsageError(`--${name} must be a date, such as 2027-01-31 or 2027-01-31T12:00:00Z`);
  }
  return date.toISOString();
}

const OPTIONS: ParseArgsConfig['options'] = {
  ...Object.fromEntries(
    [...Object.values(COMMANDS).flatMap(({ options }) => options), 'act'].map((name) => [name, { type: 'string' }]),
  ),
  ...Object.fromEntries(
    Object.values(COMMANDS)
      .flatMap(({ flags = [] }) => flags)
      .map((name) => [name, { type: 'boolean' }]),
  ),
  help: { type: 'boolean', short: 'h' },
};

/** Null: the person wants to read how it is used. */
export function readCall(words: readonly string[]): Call | null {
  const { positionals, values } = parseArgs({ args: [...words], allowPositionals: true, options: OPTIONS });
  const [verb, ...rest] = positionals;
  const { help, ...given } = values as Values & { help?: boolean };
  if (help || verb === undefined) return null;
  const command = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
  const allowed = command && [...command.options, ...(command.flags ?? []), ...(command.acts ? ['act'] : [])];
  if (!command || rest.length !== command.words || Object.keys(given).some((name) => !allowed?.includes(name))) {
    throw new UsageError(`admin takes: ${command ? command.usage : Object.keys(COMMANDS).join(', ')}`);
  }
  const { path, body } = command.call(rest, given as Values, given as unknown as Flags);
  if (!command.acts) return { path, body };
  const { act = newId(), reason = null } = given as { act?: string; reason?: string };
  return { path, body: { ...body, act, reason, operator: operatorName() }, act };
}

/** Null where the system does not know its own user, as in some containers. */
function operatorName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

export async function admin(words: readonly string[], config: Config): Promise<number> {
  const call = readCall(words);
  if (call === null) {
    process.stdout.write(ADMIN_HELP);
    return 0;
  }
  const answer = (await callAdmin(config.DATA_DIR, call.path, call.body)) ?? (await callWithoutServer(config, call));
  if (answer.status !== 200) {
    // It may have been done all the same; repeating it under its id does it once.
    const again = answer.status >= 500 && call.act !== undefined ? ` To repeat it: --act ${call.act}` : '';
    process.stderr.write(`darkroom: ${answer.body['message']}${again}\n`);
    return 1;
  }
  process.stdout.write(`${JSON.stringify(answer.body)}\n`);
  return 0;
}

async function callWithoutServer(config: Config, { path, body }: Call): Promise<AdminAnswer> {
  const log = createLog({ level: 'fatal', format: 'json', role: 'admin' });
  const { createDarkroom } = await import('../darkroom.js');
  const darkroom = await createDarkroom({ config, role: { kind: 'start' }, log });
  try {
    const { statusCode, payload } = await darkroom.callAdmin(path, body);
    return { status: statusCode, body: JSON.parse(payload) };
  } finally {
    await darkroom.close();
  }
}
