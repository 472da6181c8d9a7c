/** When something was said: how long ago it is, and the exact time for whoever points at it. */
import { useMemo, useSyncExternalStore } from 'react';
import { useProsa } from './context.js';

export interface TimeProps {
  readonly at: Date | string;
}

export function Time({ at }: TimeProps) {
  const { language } = useProsa();
  const time = new Date(at).getTime();
  const text = useSyncExternalStore(
    watch,
    () => ago(time, Date.now(), language),
    () => ago(time, Date.now(), language),
  );
  const exact = useMemo(
    () => new Date(time).toLocaleString(language, { dateStyle: 'full', timeStyle: 'short' }),
    [time, language],
  );
  if (Number.isNaN(time)) return null;
  return (
    <time dateTime={new Date(time).toISOString()} title={exact}>
      {text}
    </time>
  );
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Older times stand as dates. */
const WEEK = 7 * DAY;

/** The time in words: `now`, `5 min. ago`, `yesterday`, a date. */
export function ago(time: number, now: number, language: string): string {
  if (Number.isNaN(time)) return '';
  const past = Math.max(0, now - time);
  const words = formatOf(language);
  if (past < MINUTE) return words.format(0, 'second');
  if (past < HOUR) return words.format(-Math.floor(past / MINUTE), 'minute');
  if (past < DAY) return words.format(-Math.floor(past / HOUR), 'hour');
  if (past < WEEK) return words.format(-Math.floor(past / DAY), 'day');
  return new Date(time).toLocaleDateString(language, { dateStyle: 'medium' });
}

const formats = new Map<string, Intl.RelativeTimeFormat>();

/** Making one is slow, and there may be hundreds of times to be told. */
function formatOf(language: string): Intl.RelativeTimeFormat {
  const known = formats.get(language);
  if (known) return known;
  const made = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  formats.set(language, made);
  return made;
}

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times of the page. */
function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    for (const each of watchers) each();
  }, MINUTE / 2);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
