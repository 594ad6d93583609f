/** Where the commands keep the key they signed in with: a file that only its owner can read. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from './failure.js';

export interface Credentials {
  server: string;
  api_key: string;
  email?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_SERVER = 'http://localhost:4000';

export function credentialsPath(environment: Environment): string {
  const base = environment['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'goodeye', 'credentials.json');
}

export async function readCredentials(path: string): Promise<Credentials | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Failure(`cannot read ${path}: ${(error as Error).message}`);
  }
  const kept = parse(text);
  if (!kept) throw new Failure(`${path} is damaged`, { hint: 'Remove it and sign in again.' });
  return kept;
}

function parse(text: string): Credentials | null {
  try {
    const value = JSON.parse(text) as Partial<Credentials>;
    return typeof value.server === 'string' && typeof value.api_key === 'string' ? (value as Credentials) : null;
  } catch {
    return null;
  }
}

/** Written aside and renamed: whoever reads sees the old key or the new one. */
export async function keepCredentials(path: string, credentials: Credentials): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  await chmod(aside, 0o600);
  await rename(aside, path);
}

export async function dropCredentials(path: string): Promise<void> {
  await rm(path, { force: true });
}
