/** Renamed keys and replaced values: what the planner asked a subgraph under another name, or tells it by another. */
import type { FetchDataRewrite } from '@apollo/query-planner';
import type { TypeTest } from './types.js';
import { type Entity, isEntity } from './values.js';

export type Rewrite = (value: unknown) => void;
type Step = (value: Entity, then: Rewrite) => void;

const TYPE_STEP = '... on ';

/** Null: there is nothing to rewrite. */
export function compileRewrites(rewrites: readonly FetchDataRewrite[] | undefined, isOfType: TypeTest): Rewrite | null {
  if (!rewrites || rewrites.length === 0) return null;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, isOfType));
  return (value) => {
    for (const rewrite of compiled) rewrite(value);
  };
}

function compileRewrite(rewrite: FetchDataRewrite, isOfType: TypeTest): Rewrite {
  const key = rewrite.path.at(-1);
  if (key === undefined) return () => {};
  const change = rewrite.kind === 'ValueSetter' ? setter(key, rewrite.setValueTo) : renamer(key, rewrite.renameKeyTo);
  const steps = rewrite.path.slice(0, -1).map((step): Step => {
    if (!step.startsWith(TYPE_STEP)) return (value, then) => then(Object.hasOwn(value, step) ? value[step] : undefined);
    const condition = step.slice(TYPE_STEP.length);
    // What does not say its type is taken to be of the type that the plan expects.
    return (value, then) => {
      if (!value['__typename'] || isOfType(value['__typename'], condition)) then(value);
    };
  });
  return steps.reduceRight<Rewrite>((then, step) => each((value) => step(value, then)), each(change));
}

/** Paths of rewrites do not mention lists: they mean every item. */
function each(apply: (value: Entity) => void): Rewrite {
  return function visit(value) {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isEntity(value)) apply(value);
  };
}

function setter(key: string, to: unknown) {
  return (value: Entity) => {
    value[key] = to;
  };
}

function renamer(from: string, to: string) {
  return (value: Entity) => {
    if (!Object.hasOwn(value, from) || !value[from]) return;
    value[to] = value[from];
    value[from] = undefined;
  };
}
