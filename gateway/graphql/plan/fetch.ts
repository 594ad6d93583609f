/** One call of one subgraph: what it is asked, and where its answer belongs. */
import type { FetchNode } from '@apollo/query-planner';
import { Problem } from '../../../platform/errors.js';
import type { GraphResponse } from '../../../platform/graph/execute.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import type { PlanDeps, PlanRun } from './execute.js';
import { gather, type PlanPath, type Position, positions } from './positions.js';
import { compileRequires } from './representations.js';
import { compileRewrites } from './rewrites.js';
import { type Entity, isEntity, merge } from './values.js';

export type Step = (run: PlanRun) => Promise<void>;

const REPRESENTATIONS = 'representations';

export function compileFetch(node: FetchNode, path: PlanPath, deps: PlanDeps): Step {
  const transport = deps.transports.get(node.serviceName);
  if (!transport) throw new Error(`the supergraph names ${node.serviceName}, which is not connected`);
  const fetch = node.requires ? entityFetch(node, path, transport, deps) : plainFetch(node, path, transport, deps);
  return async (run) => {
    try {
      await fetch(run);
    } catch (error) {
      // What one fetch could not bring is missing from the answer; the others go on.
      run.errors.push(error);
    }
  };
}

function plainFetch(node: FetchNode, path: PlanPath, transport: SubgraphTransport, { isOfType }: PlanDeps): Step {
  const rewrite = compileRewrites(node.outputRewrites, isOfType);
  const variablesOf = compileVariables(node);
  const { operation: query, operationName } = node;
  return async (run) => {
    const entities = gather(run.data, path);
    if (entities.length === 0) return;
    const { data, errors } = await transport.send({ query, operationName, variables: variablesOf(run) }, run.scope);
    if (errors) report(run, errors, (inside) => inside && [...path, ...inside]);
    if (!data) return;
    rewrite?.(data);
    for (const entity of entities) merge(entity, data);
  };
}

/** Asks for entities by what is known of them. An entity that stands in several places is asked for once. */
function entityFetch(node: FetchNode, path: PlanPath, transport: SubgraphTransport, { isOfType }: PlanDeps): Step {
  const { operation: query, operationName, requires = [] } = node;
  if (node.variableUsages?.includes(REPRESENTATIONS)) {
    throw new Problem('validation_error', `A variable of this operation cannot be called "${REPRESENTATIONS}".`);
  }
  const pick = compileRequires(requires, isOfType);
  const rewriteInput = compileRewrites(node.inputRewrites, isOfType);
  const rewriteOutput = compileRewrites(node.outputRewrites, isOfType);
  const variablesOf = compileVariables(node);

  return async (run) => {
    const entities = gather(run.data, path);
    const asked = new Map<string, Wanted>();
    for (const [place, entity] of entities.entries()) {
      const representation = pick(entity);
      if (!representation?.['__typename']) continue;
      rewriteInput?.(representation);
      const key = entities.length === 1 ? '' : JSON.stringify(representation);
      const known = asked.get(key);
      if (known) known.places.push(place);
      else asked.set(key, { representation, places: [place] });
    }
    if (asked.size === 0) return;
    const wanted = [...asked.values()];
    const variables = { ...variablesOf(run), [REPRESENTATIONS]: wanted.map(({ representation }) => representation) };
    const { data, errors } = await transport.send({ query, operationName, variables }, run.scope);
    if (errors) reportEntities(run, errors, path, wanted);
    if (!data) return;
    const found = entitiesOf(data, wanted.length);
    for (const [i, { places }] of wanted.entries()) {
      const answer = found[i];
      if (!isEntity(answer)) continue;
      answer['__typename'] ||= entities[places[0] ?? 0]?.['__typename'];
      rewriteOutput?.(answer);
      for (const place of places) merge(entities[place] ?? {}, answer);
    }
  };
}

interface Wanted {
  representation: Entity;
  /** Where it stands, as indexes of what was gathered. */
  places: number[];
}

function entitiesOf({ _entities: found }: Entity, count: number): unknown[] {
  if (!Array.isArray(found)) throw new Error('Expected "data._entities" in response to be an array');
  if (found.length !== count) throw new Error(`Expected "data._entities" to contain ${count} elements`);
  return found;
}

type Errors = NonNullable<GraphResponse['errors']>;

function report(run: PlanRun, errors: Errors, place: (path: Position | undefined) => Position | undefined): void {
  for (const { message, extensions, path } of errors) run.errors.push({ message, extensions, path: place(path) });
}

/** A subgraph counts entities as it was asked for them; callers see each in all of its places. */
function reportEntities(run: PlanRun, errors: Errors, path: PlanPath, wanted: readonly Wanted[]): void {
  const all = positions(run.data, path);
  for (const error of errors) {
    const [, index, ...inside] = error.path ?? [];
    if (typeof index !== 'number') {
      report(run, [error], (given) => given && [...path, ...given]);
      continue;
    }
    for (const place of wanted[index]?.places ?? []) report(run, [error], () => [...(all[place] ?? []), ...inside]);
  }
}

function compileVariables({ variableUsages = [] }: FetchNode) {
  return ({ variables }: PlanRun): Entity => {
    const used: Entity = {};
    for (const name of variableUsages) {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value !== undefined) used[name] = value;
    }
    return used;
  };
}
