/** Executes operations against one subgraph's schema. The gateway in this process and the subgraph's own port share it. */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getArgumentValues,
  getOperationAST,
  Kind,
  parse,
  validate,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Problem } from '../errors.js';
import type { ChangeSources } from './changes.js';
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

export interface PullRequest extends GraphRequest {
  /** Where the answer before ended; null asks for the present state. */
  after: string | null;
}

export interface Pulled {
  events: GraphResponse[];
  cursor: string;
  topic: string;
  ended: boolean;
}

/** What came after a cursor, or why the caller is not told. */
export type PullResponse = Pulled | { errors: readonly GraphQLFormattedError[] };

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
  readonly #sources: ChangeSources<never>;
  readonly #known = new LRUCache<string, KnownDocument>({ max: KNOWN_DOCUMENTS });

  constructor(schema: GraphQLSchema, log: Logger, sources: ChangeSources<never> = {}) {
    this.#schema = schema;
    this.#log = log;
    this.#sources = sources;
  }

  async execute(request: GraphRequest, context: object, requestId: string): Promise<GraphResponse> {
    const known = this.#document(request);
    if (!('document' in known)) return known;
    return this.#render(await this.#run(known, request, context, {}), requestId);
  }

  /** The events of a subscription that came after a cursor. Each is executed in a context of its own. */
  async pull(request: PullRequest, freshContext: () => object, requestId: string): Promise<PullResponse> {
    const known = this.#document(request);
    if (!('document' in known)) return { errors: known.errors ?? [] };
    try {
      const { values, cursor, topic, ended } = await this.#changes(known.document, request, freshContext());
      const results = await Promise.all(values.map((value) => this.#run(known, request, freshContext(), value)));
      return { events: results.map((result) => this.#render(result, requestId)), cursor, topic, ended };
    } catch (error) {
      const wrapped =
        error instanceof GraphQLError ? error : new GraphQLError(String(error), { originalError: error as Error });
      return { errors: [renderGraphQLError(wrapped, this.#log, requestId)] };
    }
  }

  #changes(document: DocumentNode, { operationName, variables, after }: PullRequest, context: object) {
    const [field] = getOperationAST(document, operationName)?.selectionSet.selections ?? [];
    const name = field?.kind === Kind.FIELD ? field.name.value : '';
    const definition = this.#schema.getSubscriptionType()?.getFields()[name];
    const source = this.#sources[name];
    if (field?.kind !== Kind.FIELD || !definition || !source) throw new Error(`nothing to read "${name}" from`);
    return source(getArgumentValues(definition, field, variables), context as never, after);
  }

  #render(result: ExecutionResult, requestId: string): GraphResponse {
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

  #run(
    known: KnownDocument,
    request: GraphRequest,
    context: object,
    root: unknown,
  ): Promise<ExecutionResult> | ExecutionResult {
    known.uses += 1;
    if (known.compiled === undefined && known.uses > COMPILE_AFTER) {
      const compiled = compileQuery(this.#schema, known.document, request.operationName);
      known.compiled = isCompiledQuery(compiled) ? compiled : 'unfit';
    }
    if (typeof known.compiled === 'object') return known.compiled.query(root, context, request.variables ?? {});
    return execute({
      schema: this.#schema,
      document: known.document,
      variableValues: request.variables,
      operationName: request.operationName,
      contextValue: context,
      rootValue: root,
    });
  }
}
