import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** Whether a `__typename` is, or belongs to, the named type. */
export type TypeTest = (typename: unknown, condition: string) => boolean;

export function typeTest(schema: GraphQLSchema): TypeTest {
  const known = new Map<string, boolean>();
  return (typename, condition) => {
    if (typename === condition) return true;
    if (typeof typename !== 'string') return false;
    const key = `${typename} ${condition}`;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = belongs(schema, typename, condition);
      // Only names that the schema knows, so that what subgraphs send cannot fill the memory.
      if (schema.getType(typename)) known.set(key, answer);
    }
    return answer;
  };
}

function belongs(schema: GraphQLSchema, typename: string, condition: string): boolean {
  const type = schema.getType(typename);
  const abstract = schema.getType(condition);
  const composite = isObjectType(type) || isInterfaceType(type);
  return composite && isAbstractType(abstract) && schema.isSubType(abstract, type);
}
