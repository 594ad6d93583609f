/** `darkroom admin …`: asks the running process, or opens the store itself when none runs. */
import { parseArgs } from 'node:util';
import { createDarkroom } from '../darkroom.js';
import { type AdminAnswer, callAdmin } from '../platform/admin.js';
import type { Config } from '../platform/config.js';
import { createLog } from '../platform/log.js';

export const ADMIN_HELP = `darkroom admin: what an operator may do

  darkroom admin suspend USER [--reason TEXT]   refuse the account spending, publishing and new keys
  darkroom admin reinstate USER                 lift that

USER is an id, an e-mail address or a handle.
`;

/** A mistake of the person at the terminal. */
export class UsageError extends Error {}

interface Call {
  path: string;
  body: object;
}

function readCall(words: readonly string[]): Call | null {
  const { positionals, values } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { reason: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const [verb, user, ...rest] = positionals;
  if (values.help || verb === undefined) return null;
  if ((verb !== 'suspend' && verb !== 'reinstate') || user === undefined || rest.length > 0) {
    throw new UsageError('admin takes: suspend USER [--reason TEXT], or reinstate USER');
  }
  return { path: '/suspension', body: { user, suspended: verb === 'suspend', reason: values.reason ?? null } };
}

export async function admin(words: readonly string[], config: Config): Promise<number> {
  const call = readCall(words);
  if (call === null) {
    process.stdout.write(ADMIN_HELP);
    return 0;
  }
  const answer = (await callAdmin(config.DATA_DIR, call.path, call.body)) ?? (await callWithoutServer(config, call));
  if (answer.status !== 200) {
    process.stderr.write(`darkroom: ${answer.body['message']}\n`);
    return 1;
  }
  process.stdout.write(`${JSON.stringify(answer.body)}\n`);
  return 0;
}

async function callWithoutServer(config: Config, { path, body }: Call): Promise<AdminAnswer> {
  const log = createLog({ level: 'fatal', format: 'json', role: 'admin' });
  const darkroom = await createDarkroom({ config, role: { kind: 'start' }, log });
  try {
    const { statusCode, payload } = await darkroom.callAdmin(path, body);
    return { status: statusCode, body: JSON.parse(payload) };
  } finally {
    await darkroom.close();
  }
}
