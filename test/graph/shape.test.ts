import { buildSchema, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkCost, checkShape, compileCost, fragmentsOf } from '../../gateway/graphql/shape.js';
import { Problem } from '../../platform/errors.js';

const limits = { depth: 5, cost: 1000, aliases: 3 };
const schema = buildSchema(`
  type Query { me: User users(first: Int): UserConnection tags: [String!]! }
  type Mutation { go: User }
  type User { id: ID! name: String friends(first: Int, after: String): UserConnection badges: [Badge!]! }
  type Badge { id: ID! }
  type UserConnection { nodes: [User!]! edges: [UserEdge!]! }
  type UserEdge { node: User! }
`);

function cost(source: string, variables = {}): number {
  const document = parse(source);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return compileCost(schema, operation, fragmentsOf(document))(variables);
}

describe('the depth of an operation', () => {
  const nested = (depth: number) => `${'{ a '.repeat(depth)}${'}'.repeat(depth)}`;

  it('may reach the limit and no further', () => {
    expect(() => checkShape(parse(nested(5)), limits)).not.toThrow();
    expect(() => checkShape(parse(nested(6)), limits)).toThrow(/nests deeper than 5/);
  });

  it('counts through fragments', () => {
    const source = `{ a { ...F } } fragment F on X { b { c { ...G } } } fragment G on X { d { e { f } } }`;
    expect(() => checkShape(parse(source), limits)).toThrow(/nests deeper/);
  });

  it('does not count introspection', () => {
    expect(() => checkShape(parse(`{ __schema ${nested(7)} }`), limits)).not.toThrow();
  });
});

describe('the shape of an operation', () => {
  it('has a bounded number of aliases', () => {
    expect(() => checkShape(parse('{ a: x b: x c: x }'), limits)).not.toThrow();
    expect(() => checkShape(parse('{ a: x b: x c: x d: x }'), limits)).toThrow(/more than 3 aliases/);
  });

  it('is refused at once when fragments multiply it', () => {
    const doubling = Array.from({ length: 40 }, (_, i) => `fragment F${i} on X { ...F${i + 1} ...F${i + 1} }`);
    const source = `{ ...F0 } ${doubling.join(' ')} fragment F40 on X { a }`;
    const start = performance.now();
    expect(() => checkShape(parse(source), limits)).toThrow(/selects more than/);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('survives fragments that go in circles, which validation refuses later', () => {
    expect(() => checkShape(parse('{ ...A } fragment A on X { ...B } fragment B on X { ...A }'), limits)).not.toThrow();
  });
});

describe('the cost of an operation', () => {
  it('is one a field, ten a mutation', () => {
    expect(cost('{ me { id name } }')).toBe(3);
    expect(cost('mutation { a: go { id } b: go { id } }')).toBe(22);
  });

  it('multiplies what a list holds by what was asked for, from literals, variables and their defaults', () => {
    expect(cost('{ users(first: 10) { nodes { id } } }')).toBe(1 + 10 * 2);
    expect(cost('query ($n: Int) { users(first: $n) { nodes { id } } }', { n: 30 })).toBe(1 + 30 * 2);
    expect(cost('query ($n: Int = 7) { users(first: $n) { nodes { id } } }')).toBe(1 + 7 * 2);
    expect(cost('{ users { nodes { id } } }')).toBe(1 + 50 * 2);
  });

  it('multiplies nested lists', () => {
    const source = '{ users(first: 10) { nodes { friends(first: 20) { nodes { id } } } } }';
    expect(cost(source)).toBe(1 + 10 * (1 + (1 + 20 * 2)));
  });

  it('counts a list without a length as ten', () => {
    expect(cost('{ me { badges { id } } }')).toBe(1 + (1 + 10 * 1));
  });

  it('cannot be lowered by negative or strange lengths', () => {
    const source = 'query ($n: Int) { users(first: $n) { nodes { id } } }';
    expect(cost(source, { n: -100 })).toBeGreaterThan(0);
    expect(cost(source, { n: 'many' })).toBe(1 + 50 * 2);
  });

  it('is refused above the limit with a way out', () => {
    expect(() => checkCost(1001, limits)).toThrow(Problem);
    expect(() => checkCost(1000, limits)).not.toThrow();
  });
});
