/** Executes operations against one subgraph's schema. The gateway in this process and the subgraph's own port share it. */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLFormattedError,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Problem } from '../errors.js';
import { problemToGraphQL, renderGraphQLError } from './problems.js';

export interface GraphRequest {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
}

export interface GraphResponse {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
}

interface KnownDocument {
  document: DocumentNode;
  operations: number;
  operationName: string | undefined;
  uses: number;
  compiled: CompiledQuery | 'unfit' | undefined;
}

// Compiling costs about as much as twenty plain executions, so operations that come once are never compiled.
const COMPILE_AFTER = 3;
const KNOWN_DOCUMENTS = 1_000;

export class SubgraphExecutor {
  readonly #schema: GraphQLSchema;
  readonly #log: Logger;
  readonly #known = new LRUCache<string, KnownDocument>({ max: KNOWN_DOCUMENTS });

  constructor(schema: GraphQLSchema, log: Logger) {
    this.#schema = schema;
    this.#log = log;
  }

  async execute(request: GraphRequest, context: object, requestId: string): Promise<GraphResponse> {
    const known = this.#document(request);
    if (!('document' in known)) return known;
    const result = await this.#run(known, request, context);
    if (!result.errors) return result as GraphResponse;
    return {
      data: result.data ?? null,
      errors: result.errors.map((error) => renderGraphQLError(error, this.#log, requestId)),
    };
  }

  #document({ query, operationName }: GraphRequest): KnownDocument | GraphResponse {
    // The text of a plan's fetch has its hash already; a key put together here would be hashed for every request.
    const found = this.#known.get(query);
    if (found && (found.operations === 1 || found.operationName === operationName)) return found;
    // A gateway of another version may ask for fields that do not exist here; validation says so instead of
    // leaving them out.
    const document = parse(query, { noLocation: true });
    const errors = validate(this.#schema, document);
    if (errors.length > 0) {
      this.#log.error(
        { errors: errors.map(({ message }) => message) },
        'gateway and subgraph are of different versions',
      );
      return { data: null, errors: [problemToGraphQL(new Problem('unavailable'))] };
    }
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length;
    const known: KnownDocument = { document, operations, operationName, uses: 0, compiled: undefined };
    this.#known.set(query, known);
    return known;
  }

  #run(known: KnownDocument, request: GraphRequest, context: object): Promise<ExecutionResult> | ExecutionResult {
    known.uses += 1;
    if (known.compiled === undefined && known.uses > COMPILE_AFTER) {
      const compiled = compileQuery(this.#schema, known.document, request.operationName);
      known.compiled = isCompiledQuery(compiled) ? compiled : 'unfit';
    }
    if (typeof known.compiled === 'object') return known.compiled.query({}, context, request.variables ?? {});
    return execute({
      schema: this.#schema,
      document: known.document,
      variableValues: request.variables,
      operationName: request.operationName,
      contextValue: context,
      rootValue: {},
    });
  }
}
