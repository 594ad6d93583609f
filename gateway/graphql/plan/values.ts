/** Reading and merging what subgraphs sent. Keys come from operations, so one may be called "constructor". */

export type Entity = Record<string, unknown>;

export function isEntity(value: unknown): value is Entity {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A reader of one key that never sees what every object inherits. */
export function reader(key: string): (from: Entity) => unknown {
  if (!(key in Object.prototype)) return (from) => from[key];
  return (from) => (Object.hasOwn(from, key) ? from[key] : undefined);
}

/** Adds one fetch's answer for an entity to what is known of it. Lists of equal length are merged item by item. */
export function merge(target: Entity, source: Entity): void {
  for (const key of Object.keys(source)) {
    const given = source[key];
    if (given === undefined) continue;
    const known = Object.hasOwn(target, key) ? target[key] : undefined;
    if (known === given) continue;
    if (isEntity(known) && isEntity(given)) merge(known, given);
    else if (Array.isArray(known) && Array.isArray(given) && known.length === given.length) mergeItems(known, given);
    else target[key] = given;
  }
}

function mergeItems(known: unknown[], given: readonly unknown[]): void {
  for (const [i, item] of given.entries()) {
    const old = known[i];
    if (isEntity(old) && isEntity(item)) merge(old, item);
    else known[i] = item;
  }
}
