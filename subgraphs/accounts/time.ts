export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const DAY_MS = 24 * 60 * MINUTE_MS;

/** After this long a step that has not been followed by the next one is taken over by the recovery. */
export const ABANDONED_AFTER_MS = 15 * SECOND_MS;

export function plus(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}

/** Whole seconds from one moment to a later one, at least 1. */
export function secondsBetween(from: Date, to: Date): number {
  return Math.max(1, Math.ceil((to.getTime() - from.getTime()) / SECOND_MS));
}
