/**
 * Which keys may use what of the graph, said where it is defined and kept in the supergraph as tags. What carries no
 * mark needs the user's own key, so that forgetting a mark closes a door instead of opening one.
 */
import { Directive } from 'type-graphql';
import type { KeyScope } from '../scope.js';

export const SCOPE_TAG = 'key-scope-';
export const OPEN_TAG = 'open-to-all-keys';

/** On a query, mutation or subscription: the scope that a key must have to use it. */
export function NeedsScope(scope: Exclude<KeyScope, 'account'>): ClassDecorator & PropertyDecorator & MethodDecorator {
  return Directive(`@tag(name: "${SCOPE_TAG}${scope}")`);
}

/** On a type, or a single field of one: any key may select it that may use the operation. */
export function OpenToAllKeys(): ClassDecorator & PropertyDecorator & MethodDecorator {
  return Directive(`@tag(name: "${OPEN_TAG}")`);
}
