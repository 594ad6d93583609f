/** Where an error came from, without its message: what was being worked on is in many of them. */
export function traced(error: unknown): { error: string; at: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const code = 'code' in error ? ` ${String(error.code).slice(0, 40)}` : '';
  return { error: `${error.name}${code}`, at: frames.slice(0, 8).map((line) => line.trim()) };
}
