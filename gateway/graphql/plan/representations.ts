/** What a subgraph is told of an entity so that it can find it: the key fields that the plan requires. */
import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import type { TypeTest } from './types.js';
import { type Entity, isEntity, merge, reader } from './values.js';

/** Null: a field that is required is not known. */
type Pick = (source: Entity) => Entity | null;
type PickInto = (source: Entity, into: Entity) => boolean;

export function compileRequires(requires: readonly QueryPlanSelectionNode[], isOfType: TypeTest): Pick {
  const parts = requires.map((selection) =>
    selection.kind === 'Field'
      ? pickField(selection.alias ?? selection.name, selection.selections, isOfType)
      : pickFragment(selection.typeCondition, selection.selections, isOfType),
  );
  return (source) => {
    const picked: Entity = {};
    for (const part of parts) if (!part(source, picked)) return null;
    return picked;
  };
}

function pickField(
  key: string,
  selections: readonly QueryPlanSelectionNode[] | undefined,
  isOfType: TypeTest,
): PickInto {
  const read = reader(key);
  const inner = selections && compileRequires(selections, isOfType);
  const pick = (value: unknown): unknown => {
    if (!inner || value === null) return value;
    return isEntity(value) ? inner(value) : null;
  };
  return (source, into) => {
    const value = read(source);
    if (value === undefined) return false;
    into[key] = Array.isArray(value) ? value.map(pick) : pick(value);
    return true;
  };
}

function pickFragment(
  condition: string | undefined,
  selections: readonly QueryPlanSelectionNode[],
  isOfType: TypeTest,
): PickInto {
  if (condition === undefined) return () => true;
  const inner = compileRequires(selections, isOfType);
  return (source, into) => {
    const picked = isOfType(source['__typename'], condition) ? inner(source) : null;
    if (picked) merge(into, picked);
    return true;
  };
}
