/** A body on its way out. HTTP clients report one that throws as a failure of their own; here is what it threw. */
export interface Watched extends AsyncIterable<Uint8Array> {
  failure: { error: unknown } | null;
}

export function watched(bytes: AsyncIterable<Uint8Array>): Watched {
  const body: Watched = {
    failure: null,
    async *[Symbol.asyncIterator]() {
      try {
        yield* bytes;
      } catch (error) {
        body.failure = { error };
        throw error;
      }
    },
  };
  return body;
}
