/** Something that the person who runs the benchmark can put right; shown without a stack. */
export class BenchError extends Error {}
