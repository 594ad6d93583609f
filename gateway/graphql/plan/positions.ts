/** Where in the data a step of a plan works: a path of keys, with `@` for every item of a list. */
import { type Entity, isEntity } from './values.js';

export type PlanPath = readonly string[];
export type Position = readonly (string | number)[];

const EACH = '@';

/** All entities at a path, in the order of the data, without those that are null. */
export function gather(data: unknown, path: PlanPath): Entity[] {
  const found: Entity[] = [];
  gatherInto(found, data, path, 0);
  return found;
}

function gatherInto(found: Entity[], value: unknown, path: PlanPath, depth: number): void {
  if (value === null || value === undefined) return;
  const step = path[depth];
  if (step === undefined) {
    if (Array.isArray(value)) for (const item of value) gatherInto(found, item, path, depth);
    else if (isEntity(value)) found.push(value);
  } else if (step === EACH) {
    if (!Array.isArray(value)) throw new Error(`the plan expects a list before "${path.slice(depth + 1).join('.')}"`);
    for (const item of value) gatherInto(found, item, path, depth + 1);
  } else {
    if (!isEntity(value)) throw new Error(`the plan expects an object that has "${step}"`);
    gatherInto(found, Object.hasOwn(value, step) ? value[step] : undefined, path, depth + 1);
  }
}

/** Where the entities are that `gather` finds, as callers count. Only errors need it. */
export function positions(data: unknown, path: PlanPath): Position[] {
  const found: Position[] = [];
  positionsInto(found, [], data, path, 0);
  return found;
}

function positionsInto(found: Position[], at: (string | number)[], value: unknown, path: PlanPath, depth: number) {
  if (value === null || value === undefined) return;
  const step = path[depth];
  if (Array.isArray(value)) {
    const next = step === EACH ? depth + 1 : depth;
    for (const [i, item] of value.entries()) positionsInto(found, [...at, i], item, path, next);
  } else if (step === undefined) {
    found.push(at);
  } else if (isEntity(value) && Object.hasOwn(value, step)) {
    positionsInto(found, [...at, step], value[step], path, depth + 1);
  }
}
