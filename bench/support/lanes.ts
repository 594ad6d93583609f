/** Work done by so many at a time, and how long each piece of it took. */
export interface Timed {
  times: number[];
  totalMs: number;
}

export async function eachTimed<T>(
  work: readonly T[],
  lanes: number,
  act: (piece: T) => Promise<void>,
): Promise<Timed> {
  const times: number[] = [];
  const left = work.values();
  const begin = performance.now();
  const lane = async () => {
    for (const piece of left) {
      const start = performance.now();
      await act(piece);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { times, totalMs: performance.now() - begin };
}
