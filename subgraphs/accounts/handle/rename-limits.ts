/** How often a handle may change: once in 90 days and three times in a calendar year (UTC). */
import { Problem } from '../../../platform/errors.js';
import { RENAME_PAUSE_DAYS, RENAMES_PER_YEAR } from '../rules.js';
import { DAY_MS, plus, secondsBetween } from '../time.js';

export function checkRename(renames: readonly Date[], now: Date): void {
  const year = now.getUTCFullYear();
  const latest = renames.at(-1);
  const pauseEnds = latest && plus(latest, RENAME_PAUSE_DAYS * DAY_MS);
  const tooSoon = pauseEnds !== undefined && pauseEnds > now;
  const tooMany = renames.filter((rename) => rename.getUTCFullYear() === year).length >= RENAMES_PER_YEAR;
  if (!tooSoon && !tooMany) return;
  const nextYear = new Date(Date.UTC(year + 1, 0, 1));
  // Both limits may stand in the way: the time to wait is that of the later one.
  const free = tooMany && !(tooSoon && pauseEnds > nextYear) ? nextYear : pauseEnds;
  throw new Problem(tooSoon ? 'handle_rename_too_soon' : 'handle_rename_limit_exceeded', undefined, {
    retryAfterSeconds: secondsBetween(now, free ?? nextYear),
    hint: 'A handle that you gave up less than 90 days ago can be taken back at any time.',
  });
}

/** The renames that can still matter: this year's and the latest. */
export function keptRenames(renames: readonly Date[], now: Date): Date[] {
  const year = now.getUTCFullYear();
  return renames.filter((rename, index) => index === renames.length - 1 || rename.getUTCFullYear() === year);
}
