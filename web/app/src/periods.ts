/** Sorts conversations into today, yesterday and before. */
import type { Conversation } from '@prosa/react';

export type Period = 'today' | 'yesterday' | 'week' | 'earlier';

export interface Group {
  readonly period: Period;
  readonly items: readonly Conversation[];
}

const DAY = 24 * 60 * 60 * 1000;

/** The groups that are not empty; within each, the order stays. */
export function groupByPeriod(conversations: readonly Conversation[], now: Date): readonly Group[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups = new Map<Period, Conversation[]>();
  for (const conversation of conversations) {
    const period = periodOf(Date.parse(conversation.updatedAt), midnight);
    const items = groups.get(period);
    if (items) items.push(conversation);
    else groups.set(period, [conversation]);
  }
  return Array.from(groups, ([period, items]) => ({ period, items }));
}

function periodOf(time: number, midnight: number): Period {
  if (time >= midnight) return 'today';
  if (time >= midnight - DAY) return 'yesterday';
  return time >= midnight - 7 * DAY ? 'week' : 'earlier';
}
