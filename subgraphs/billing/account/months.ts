/** Billing months, counted from the moment of sign-up, in UTC. */

export interface Period {
  start: Date;
  end: Date;
}

/** The same day and time of a later month; its last day where that month is shorter. */
export function addMonths(from: Date, months: number): Date {
  const year = from.getUTCFullYear();
  const month = from.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const time = from.getTime() - Date.UTC(year, from.getUTCMonth(), from.getUTCDate());
  return new Date(Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + time);
}

/** Every boundary is counted from the sign-up itself: from the 31st a month ends on the 28th, the next on the 31st. */
export function periodAt(openedAt: Date, now: Date): Period {
  const years = now.getUTCFullYear() - openedAt.getUTCFullYear();
  let months = Math.max(0, years * 12 + now.getUTCMonth() - openedAt.getUTCMonth());
  if (months > 0 && addMonths(openedAt, months) > now) months -= 1;
  return { start: addMonths(openedAt, months), end: addMonths(openedAt, months + 1) };
}

export function monthStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}

export function nextMidnight(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
}
