/** What a model's `params` may hold. Unknown and out-of-range are named, all of them at once. */
import { type FieldIssue, Problem } from '../../../platform/errors.js';
import type { CatalogueModel } from './entry.js';
import { resolveSize, type Size } from './sizes.js';

export type Parameter =
  | { kind: 'integer' | 'number'; min: number; max: number; default?: number; description: string }
  | { kind: 'choice'; values: readonly string[]; default?: string; description: string }
  | { kind: 'text'; maxLength: number; description: string }
  | { kind: 'flag'; default: boolean; description: string };

export type ParamValue = string | number | boolean;

export interface Params {
  readonly [name: string]: ParamValue;
}

export interface ReadParams {
  params: Params;
  size: Size;
}

export const MAX_SEED = 2_147_483_647;

/** Every model takes these; the two that choose a size are read by its size rule. */
export const SIZE_PARAMETERS = ['image_size', 'aspect_ratio'] as const;
export const COMMON_PARAMETERS: Readonly<Record<string, Parameter>> = {
  enable_safety_checker: {
    kind: 'flag',
    default: true,
    description: 'Asks the provider to filter. Always on for tiers and without an account.',
  },
};

export const MAX_PARAMS = 32;

/**
 * What is given over the model's defaults, so that the provider is told what the price was worked out with. Throws
 * validation_error that names every bad member. `where` is what the caller calls the object.
 */
export function readParams(model: CatalogueModel, given: unknown, where = 'params'): ReadParams {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw Problem.invalid(where, 'must be an object');
  }
  const entries = Object.entries(given);
  if (entries.length > MAX_PARAMS) throw Problem.invalid(where, `must have at most ${MAX_PARAMS} members`);
  const known = parametersOf(model);
  const issues: FieldIssue[] = [];
  const params = defaultsOf(known);
  const wish: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const field = `${where}.${shortened(name)}`;
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (isSizeParameter(name)) wish[name] = value;
    else if (!parameter)
      issues.push({ field, message: `is not known to ${model.slug}; it takes ${namesOf(model).join(', ')}` });
    else {
      const problem = complaint(parameter, value);
      if (problem === null) params[name] = value as ParamValue;
      else issues.push({ field, message: problem });
    }
  }
  const size = resolveSize(model.sizes, wish);
  if (typeof size === 'string') issues.push({ field: `${where}.image_size`, message: size });
  if (issues.length > 0 || typeof size === 'string') {
    const named = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
    throw new Problem('validation_error', named, { details: issues });
  }
  return { params, size };
}

/** What the model takes, with what all models take. */
export function parametersOf(model: CatalogueModel): Readonly<Record<string, Parameter>> {
  return { ...model.parameters, ...COMMON_PARAMETERS };
}

function defaultsOf(known: Readonly<Record<string, Parameter>>): Record<string, ParamValue> {
  const entries = Object.entries(known).flatMap(([name, parameter]) =>
    'default' in parameter && parameter.default !== undefined ? [[name, parameter.default] as const] : [],
  );
  return Object.fromEntries(entries);
}

function namesOf(model: CatalogueModel): string[] {
  return [...SIZE_PARAMETERS, ...Object.keys(parametersOf(model))];
}

function isSizeParameter(name: string): boolean {
  return (SIZE_PARAMETERS as readonly string[]).includes(name);
}

function shortened(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

function complaint(parameter: Parameter, value: unknown): string | null {
  switch (parameter.kind) {
    case 'integer':
    case 'number': {
      const { min, max } = parameter;
      const right = parameter.kind === 'integer' ? Number.isInteger(value) : Number.isFinite(value);
      const what = parameter.kind === 'integer' ? 'a whole number' : 'a number';
      return right && Number(value) >= min && Number(value) <= max ? null : `must be ${what} from ${min} to ${max}`;
    }
    case 'choice':
      return typeof value === 'string' && parameter.values.includes(value)
        ? null
        : `must be one of ${parameter.values.join(', ')}`;
    case 'text':
      return typeof value === 'string' && value.length <= parameter.maxLength
        ? null
        : `must be a text of at most ${parameter.maxLength} characters`;
    case 'flag':
      return typeof value === 'boolean' ? null : 'must be true or false';
  }
}
