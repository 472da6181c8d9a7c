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

/** The days from `since` to `until`, as 2026-11-29, in UTC. */
export function daysOf(since: string, until: string): readonly string[] {
  const days: string[] = [];
  for (let at = Date.parse(since.slice(0, 10)); at <= Date.parse(until); at += DAY) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

/** A moment as it is written under a plot. */
export function tickOf(at: string, step: Stretch['step'], language: string): string {
  const options: Intl.DateTimeFormatOptions =
    step === 'day'
      ? { day: 'numeric', month: 'short' }
      : step === 'hour'
        ? { weekday: 'short', hour: '2-digit', minute: '2-digit' }
        : { hour: '2-digit', minute: '2-digit' };
  return new Date(at).toLocaleString(language, options);
}
