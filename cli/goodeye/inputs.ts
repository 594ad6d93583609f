/** Inputs that many commands share. */
import type { Argument, Option } from '../command.js';

export const word = (name: string, help: string, more: Partial<Argument> = {}): Argument => ({
  name,
  in: 'path',
  help,
  ...more,
});

export const bodyWord = (name: string, help: string, more: Partial<Argument> = {}): Argument => ({
  name,
  in: 'body',
  help,
  ...more,
});

export const option = (name: string, help: string, more: Partial<Option> = {}): Option => ({
  name,
  in: 'body',
  help,
  ...more,
});

export const query = (name: string, help: string, more: Partial<Option> = {}): Option => ({
  name,
  in: 'query',
  help,
  ...more,
});

export const VERSION: Option = query('version', 'a version; the current one when left out', { kind: 'number' });

export const TOKEN: Option = option(
  'expected_version_token',
  'the version_token of the latest version; left out for the first one',
);
