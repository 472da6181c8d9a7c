/** The stretch of time that is looked at, and the steps in which it is told. */

export const SPANS = ['hour', 'day', 'week', 'month'] as const;
export type Span = (typeof SPANS)[number];

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LENGTHS: Readonly<Record<Span, number>> = {
  hour: 60 * MINUTE,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
};
const STEPS = { hour: 'minute', day: 'hour', week: 'hour', month: 'day' } as const;

export interface Stretch {
  readonly since: string;
  readonly until: string;
  readonly step: 'minute' | 'hour' | 'day';
}

export function stretchOf(span: Span, now: Date): Stretch {
  const since = new Date(now.getTime() - LENGTHS[span]);
  return { since: since.toISOString(), until: now.toISOString(), step: STEPS[span] };
}

/** The days of a time zone from `since` to `until`, as 2026-11-29. */
export function daysOf(since: string, until: string, timeZone: string): readonly string[] {
  const { format } = new Intl.DateTimeFormat('en-CA', { ...DATE, timeZone: known(timeZone) });
  const [first, last] = [since, until].map(at => Date.parse(format(new Date(at)))) as [number, number];
  const days: string[] = [];
  for (let at = first; at <= last; at += DAY) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

const DATE = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;

/** A browser may know fewer time zones than the server. */
function known(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}

/** A step as it is written under a plot. */
export function tickOf(begun: { at: string; day: string }, step: Stretch['step'], language: string): string {
  if (step === 'day') {
    return dayOf(begun.day, language);
  }
  const options: Intl.DateTimeFormatOptions =
    step === 'hour'
      ? { weekday: 'short', hour: '2-digit', minute: '2-digit' }
      : { hour: '2-digit', minute: '2-digit' };
  return new Date(begun.at).toLocaleString(language, options);
}

/** A day is a day wherever the reader is. */
export function dayOf(day: string, language: string): string {
  const options = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const;
  return new Date(`${day.slice(0, 10)}T00:00:00Z`).toLocaleDateString(language, options);
}
