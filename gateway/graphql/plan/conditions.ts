/** @skip and @include. */
import { type DirectiveNode, Kind, type OperationDefinitionNode, type SelectionNode, visit } from 'graphql';
import { Problem } from '../../../platform/errors.js';
import type { Variables } from '../operations.js';
import type { Fragments } from '../shape.js';

/** The variables that decide what an operation selects. */
export function conditionVariables(operation: OperationDefinitionNode, fragments: Fragments): string[] {
  const names = new Set<string>();
  for (const definition of [operation, ...fragments.values()]) {
    visit(definition, {
      Directive(directive) {
        const value = conditionValue(directive);
        if (value?.kind === Kind.VARIABLE) names.add(value.name.value);
      },
    });
  }
  return [...names];
}

/** Whether a selection is wanted, for given values of the condition variables. */
export function included({ directives = [] }: SelectionNode, conditions: Readonly<Record<string, boolean>>): boolean {
  return directives.every((directive) => {
    const value = conditionValue(directive);
    if (!value) return true;
    const holds =
      value.kind === Kind.VARIABLE
        ? conditions[value.name.value] === true
        : value.kind === Kind.BOOLEAN && value.value === true;
    return directive.name.value === 'skip' ? !holds : holds;
  });
}

function conditionValue({ name, arguments: given = [] }: DirectiveNode) {
  if (name.value !== 'skip' && name.value !== 'include') return undefined;
  return given.find((argument) => argument.name.value === 'if')?.value;
}

/** The value of a variable of @skip or @include. */
export function conditionOf(name: string, variables: Variables, defaultOf: (name: string) => unknown): boolean {
  const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
  const value = given === undefined ? defaultOf(name) : given;
  if (typeof value !== 'boolean') throw new Problem('validation_error', `Variable "$${name}" must be true or false.`);
  return value;
}
