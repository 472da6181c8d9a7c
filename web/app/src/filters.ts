/** What the list can be narrowed to, as it is chosen, and as the server is asked for it. */
import type { ConversationFilter } from '@prosa/react';

export type Period = 'any' | 'today' | 'week' | 'month' | 'dates';

export interface Filters {
  readonly status: 'any' | 'open' | 'closed';
  readonly kept: 'listed' | 'archived' | 'all';
  readonly period: Period;
  /** Days as `2026-11-29`; empty where there is no bound. They count where the period is `dates`. */
  readonly from: string;
  readonly to: string;
  /** The model's id, `provider/model`. */
  readonly model: string;
  readonly clientId: string;
}

export const NO_FILTERS: Filters = {
  status: 'any',
  kept: 'listed',
  period: 'any',
  from: '',
  to: '',
  model: '',
  clientId: '',
};

/** How many of them narrow the list. */
export function countOf(filters: Filters): number {
  const { status, kept, period, from, to, model, clientId } = filters;
  const isDated = period === 'dates' ? from !== '' || to !== '' : period !== 'any';
  const narrowed = [status !== 'any', kept !== 'listed', isDated, model !== '', clientId !== ''];
  return narrowed.filter(Boolean).length;
}

export function queryOf(filters: Filters, now: Date): ConversationFilter {
  const { status, kept, model, clientId } = filters;
  const at = model.indexOf('/');
  return {
    ...(status === 'any' ? {} : { status }),
    ...(kept === 'listed' ? {} : { archived: kept === 'all' ? ('all' as const) : true }),
    ...(model === '' ? {} : { provider: model.slice(0, at), model: model.slice(at + 1) }),
    ...(clientId === '' ? {} : { clientId }),
    ...boundsOf(filters, now),
  };
}

const DAYS = { today: 0, week: 6, month: 29 } as const;

/** The first and the last moment, by the reader's own calendar. */
export function boundsOf({ period, from, to }: Filters, now: Date): { from?: string; to?: string } {
  if (period === 'any') return {};
  if (period === 'dates') {
    const [first, last] = [moment(from, '00:00:00.000'), moment(to, '23:59:59.999')];
    return { ...(first ? { from: first } : {}), ...(last ? { to: last } : {}) };
  }
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - DAYS[period]);
  return { from: day.toISOString() };
}

function moment(day: string, time: string): string | null {
  const date = new Date(`${day}T${time}`);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
