/** A list that comes in pages: read as far as somebody looks, and read anew without losing their place. */
import type { Page } from '@prosa/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useRetrying } from './useRetrying.js';

export interface Pages<T> {
  readonly items: readonly T[];
  /** True until the first page has come. */
  readonly loading: boolean;
  /** True while a later page is read, or what is shown is being replaced. */
  readonly busy: boolean;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly loadMore: () => Promise<void>;
  /** Reads again all that was read. */
  readonly refresh: () => Promise<void>;
  /** Changes what is shown; a page that was on its way meanwhile is asked for again. */
  readonly edit: (change: Edit<T>) => void;
}

export type Edit<T> = (items: readonly T[], hasMore: boolean) => readonly T[];

export type ReadPage<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

interface Listing<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  readonly loading: boolean;
  readonly busy: boolean;
  readonly error: Error | null;
}

/** One stay with one way of reading; `edits` counts what was changed by hand. */
interface Stay {
  readonly controller: AbortController;
  readings: number;
  edits: number;
}

/** `read` must stay the same function as long as it reads the same list. `keyOf` tells entries apart. */
export function usePages<T>(read: ReadPage<T>, keyOf: (item: T) => string): Pages<T> {
  const [listing, setListing] = useState<Listing<T>>(NOTHING);
  const latest = useRef(listing);
  const stay = useRef<Stay>(newStay());

  const change = useCallback((edit: (before: Listing<T>) => Listing<T>) => {
    latest.current = edit(latest.current);
    setListing(latest.current);
  }, []);

  /** Reads until at least `count` entries are known, or from `cursor` on. */
  const fetchPages = useCallback(
    async (count: number, cursor?: string) => {
      const here = stay.current;
      here.readings += 1;
      const mine = here.readings;
      const isOvertaken = () => here.controller.signal.aborted || here.readings !== mine;
      change(before => ({ ...before, busy: true }));
      try {
        const found = await steadily(here, () => collect(read, keyOf, count, cursor, here.controller.signal));
        // An answer that a newer question has overtaken is not shown.
        if (isOvertaken()) return;
        const earlier = cursor === undefined ? [] : latest.current.items;
        const items = distinct([...earlier, ...found.items], keyOf);
        change(() => ({ ...NOTHING, items, next: found.next, loading: false, busy: false }));
      } catch (cause) {
        if (isOvertaken()) return;
        const error = cause as Error;
        change(before => ({ ...before, loading: false, busy: false, error }));
      }
    },
    [read, keyOf, change],
  );

  useEffect(() => {
    stay.current = newStay();
    void fetchPages(1);
    return () => stay.current.controller.abort();
  }, [fetchPages]);

  const actions = useMemo(
    () => ({
      refresh: () => fetchPages(Math.max(1, latest.current.items.length)),
      loadMore: async () => {
        const { next, busy } = latest.current;
        if (next !== null && !busy) await fetchPages(1, next);
      },
      edit: (edit: Edit<T>) => {
        stay.current.edits += 1;
        change(before => ({ ...before, items: edit(before.items, before.next !== null) }));
      },
    }),
    [fetchPages, change],
  );
  const { items, next, loading, busy, error } = listing;
  useRetrying(error, actions.refresh);
  return { ...actions, items, loading, busy, error, hasMore: next !== null };
}

const NOTHING = { items: [], next: null, loading: true, busy: true, error: null } as const;

function newStay(): Stay {
  return { controller: new AbortController(), readings: 0, edits: 0 };
}

/** What was read while somebody changed the list would undo the change: it is read again. */
async function steadily<R>(stay: Stay, work: () => Promise<R>): Promise<R> {
  for (;;) {
    const { edits } = stay;
    const result = await work();
    if (stay.edits === edits) return result;
  }
}

async function collect<T>(
  read: ReadPage<T>,
  keyOf: (item: T) => string,
  count: number,
  from: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  let items: readonly T[] = [];
  let cursor = from;
  for (;;) {
    const page = await read(cursor, signal);
    items = distinct([...items, ...page.items], keyOf);
    if (page.nextCursor === null || items.length >= count) return { items, next: page.nextCursor };
    cursor = page.nextCursor;
  }
}

/** An entry that moved between two pages while they were read is listed once. */
function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return Array.from(new Map(items.map(item => [keyOf(item), item])).values());
}
