/** The contexts of a subgraph's resolvers, one for each request. */
import type { Scope } from '../scope.js';

interface InScope {
  scope: Scope;
}

/**
 * What all requests share is inherited; what each has for itself, its loaders, is made when it is first read: most
 * requests need one of many.
 */
export function contextsOf<C extends InScope, Own extends Exclude<keyof C & string, 'scope'>>(
  shared: Omit<C, Own | 'scope'>,
  own: { [K in Own]: (context: C) => C[K] },
): (scope: Scope) => C {
  class Context implements InScope {
    readonly scope: Scope;

    constructor(scope: Scope) {
      this.scope = scope;
    }
  }
  Object.assign(Context.prototype, shared);
  for (const name of Object.keys(own) as Own[]) {
    Object.defineProperty(Context.prototype, name, {
      get(this: C) {
        const value = own[name](this);
        Object.defineProperty(this, name, { value });
        return value;
      },
    });
  }
  return (scope) => new Context(scope) as unknown as C;
}
