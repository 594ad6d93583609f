/** Requests that differ from one to the next, so that nothing can be merged in flight or remembered. */
import type { Person } from './seed.js';
import type { LoadRequest } from './wrk.js';

/** Every person with every choice; neighbours differ in both. */
export function varied<T>(
  people: readonly Person[],
  choices: readonly T[],
  make: (person: Person, choice: T) => LoadRequest,
) {
  return choices.flatMap((_, shift) =>
    people.flatMap((person, i) => {
      const choice = choices[(i + shift) % choices.length];
      return choice === undefined ? [] : [make(person, choice)];
    }),
  );
}

export function authorised({ key }: Person): Record<string, string> {
  return { authorization: `Bearer ${key}`, accept: 'application/json' };
}

export function graphRequest(person: Person, query: string, variables: object): LoadRequest {
  return {
    method: 'POST',
    path: '/graphql',
    headers: { ...authorised(person), 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  };
}
