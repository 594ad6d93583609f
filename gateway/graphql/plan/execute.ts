/**
 * Runs the plans of Apollo's planner. A plan is compiled once per operation into steps that read, ask and merge; what
 * they gathered is then given the shape of the operation. Apollo's own executor does the same by interpretation.
 */
import type { ConditionNode, PlanNode } from '@apollo/query-planner';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import type { Scope } from '../../../platform/scope.js';
import { conditionOf } from './conditions.js';
import { compileFetch, type Step } from './fetch.js';
import type { PlanPath } from './positions.js';
import type { TypeTest } from './types.js';
import type { Entity } from './values.js';

export interface PlanDeps {
  transports: ReadonlyMap<string, SubgraphTransport>;
  isOfType: TypeTest;
  /** What the operation says a variable is when the caller does not. */
  defaultOf(variable: string): unknown;
}

/** One request on its way through a plan. */
export interface PlanRun {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly data: Entity;
  /** Rendered by a subgraph, or thrown on the way. */
  readonly errors: unknown[];
}

/** Null: the plan has a node that is not compiled. */
export function compilePlan(node: PlanNode, deps: PlanDeps, path: PlanPath = []): Step | null {
  switch (node.kind) {
    case 'Fetch':
      return node.contextRewrites?.length ? null : compileFetch(node, path, deps);
    case 'Flatten': {
      const keys = node.path.map(String);
      return compilePlan(node.node, deps, [...path, ...keys]);
    }
    case 'Sequence': {
      const steps = compileAll(node.nodes, deps, path);
      return steps && sequence(steps);
    }
    case 'Parallel': {
      const steps = compileAll(node.nodes, deps, path);
      return steps && (async (run) => void (await Promise.all(steps.map((step) => step(run)))));
    }
    case 'Condition':
      return compileCondition(node, deps, path);
    default:
      return null;
  }
}

function compileAll(nodes: readonly PlanNode[], deps: PlanDeps, path: PlanPath): Step[] | null {
  const steps: Step[] = [];
  for (const node of nodes) {
    const step = compilePlan(node, deps, path);
    if (!step) return null;
    steps.push(step);
  }
  return steps;
}

function sequence(steps: readonly Step[]): Step {
  return async (run) => {
    for (const step of steps) await step(run);
  };
}

function compileCondition({ condition, ifClause, elseClause }: ConditionNode, deps: PlanDeps, path: PlanPath) {
  const nothing: Step = async () => {};
  const yes = ifClause ? compilePlan(ifClause, deps, path) : nothing;
  const no = elseClause ? compilePlan(elseClause, deps, path) : nothing;
  if (!yes || !no) return null;
  return async (run: PlanRun) => (conditionOf(condition, run.variables, deps.defaultOf) ? yes(run) : no(run));
}
