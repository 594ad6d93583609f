/** The scopes that a key needs for an operation, worked out once, when the operation is prepared. */
import type { Schema } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  separateOperations,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { OPEN_TAG, SCOPE_TAG } from '../../platform/graph/key-scopes.js';
import { KEY_SCOPES, type KeyScope } from '../../platform/scope.js';

export class KeyScopes {
  readonly #schema: GraphQLSchema;
  readonly #tags: ReadonlyMap<string, readonly string[]>;

  /** `supergraph` is the whole of it: callers do not see the tags. */
  constructor(schema: GraphQLSchema, supergraph: Schema) {
    this.#schema = schema;
    this.#tags = tagsOf(supergraph);
  }

  needed(document: DocumentNode, operation: OperationDefinitionNode): ReadonlySet<KeyScope> {
    const needed = new Set<KeyScope>();
    const info = new TypeInfo(this.#schema);
    const root = this.#schema.getRootType(operation.operation)?.name;
    visit(
      alone(document, operation),
      visitWithTypeInfo(info, {
        [Kind.FIELD]: ({ name: { value: field } }) => {
          const parent = info.getParentType()?.name;
          if (parent === undefined || parent.startsWith('__') || field.startsWith('__')) return;
          const tags = this.#tags.get(`${parent}.${field}`) ?? [];
          if (parent === root) needed.add(scopeIn(tags));
          else if (!tags.includes(OPEN_TAG) && !this.#tags.get(parent)?.includes(OPEN_TAG)) needed.add('account');
        },
      }),
    );
    return needed;
  }
}

/** Without the other operations of the document, and the fragments that they alone use. */
function alone(document: DocumentNode, { name }: OperationDefinitionNode): DocumentNode {
  return separateOperations(document)[name?.value ?? ''] ?? document;
}

function scopeIn(tags: readonly string[]): KeyScope {
  return KEY_SCOPES.find((scope) => tags.includes(SCOPE_TAG + scope)) ?? 'account';
}

function tagsOf(supergraph: Schema): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const note = (coordinate: string, applied: readonly { arguments(): Record<string, unknown> }[]) => {
    if (applied.length > 0)
      found.set(
        coordinate,
        applied.map((tag) => String(tag.arguments()['name'])),
      );
  };
  for (const type of supergraph.objectTypes()) {
    note(type.name, type.appliedDirectivesOf('tag'));
    for (const field of type.fields()) note(field.coordinate, field.appliedDirectivesOf('tag'));
  }
  return found;
}
