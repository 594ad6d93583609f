/** Relay connections, with `nodes` beside `edges` and a `nextCursor` that is null on the last page. */
import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { MAX_PAGE, type Page, type PageRequest } from '../mongo/page.js';
import { OpenToAllKeys } from './key-scopes.js';

@ObjectType({ description: 'Where a page stands in its list.' })
@Directive('@shareable')
@OpenToAllKeys()
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether a further page exists.' })
  hasNextPage!: boolean;

  @Field(() => String, { nullable: true, description: 'The cursor of the last item of this page.' })
  endCursor!: string | null;
}

@ArgsType()
export class ConnectionArgs implements PageRequest {
  @Field(() => Int, { nullable: true, description: `How many items, 1 to ${MAX_PAGE}; 50 when left out.` })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Start behind this cursor.' })
  after?: string | null;
}

export interface Edge<T> {
  node: T;
  cursor: string;
}

export interface Connection<T> {
  edges: Edge<T>[];
  nodes: T[];
  pageInfo: PageInfo;
  nextCursor: string | null;
}

/** The connection class of a node type. Call it once per node type and export the result. */
export function connectionType<T extends object>(name: string, node: () => ClassType<T>): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`, { description: `A ${name} and its place in the list.` })
  @OpenToAllKeys()
  class EdgeOfNode implements Edge<T> {
    @Field(() => node(), { description: 'The item.' })
    node!: T;

    @Field(() => String, { description: 'Pass it as `after` to start behind this item.' })
    cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}.` })
  @OpenToAllKeys()
  class ConnectionOfNode implements Connection<T> {
    @Field(() => [EdgeOfNode], { description: 'The items with their cursors.' })
    edges!: EdgeOfNode[];

    @Field(() => [node()], { description: 'The items alone.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where this page stands.' })
    pageInfo!: PageInfo;

    @Field(() => String, {
      nullable: true,
      description: 'Pass it as `after` for the next page; null on the last page.',
    })
    nextCursor!: string | null;
  }
  return ConnectionOfNode;
}

export function toConnection<D, T>(page: Page<D>, view: (item: D) => T): Connection<T> {
  const edges = page.items.map((item) => ({ node: view(item), cursor: page.cursorOf(item) }));
  const endCursor = edges.at(-1)?.cursor ?? null;
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: { hasNextPage: page.hasNextPage, endCursor },
    nextCursor: page.hasNextPage ? endCursor : null,
  };
}
