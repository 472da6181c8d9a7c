/** Fetches earlier messages as the reader comes near them, and keeps the reader's place when they arrive. */
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

export interface OlderOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly list: RefObject<HTMLOListElement | null>;
  /** How many messages are shown, and the key of the first of them. */
  readonly count: number;
  readonly firstKey: string | undefined;
  readonly enabled: boolean;
  readonly load: () => void;
}

const AHEAD = '1600px 0px 0px 0px';

/** Returns the ref of an element that stands above the first message. */
export function useOlder({ scroller, list, count, firstKey, enabled, load }: OlderOptions) {
  const mark = useRef<HTMLDivElement>(null);
  const before = useRef({ count, firstKey, top: 0 });

  useLayoutEffect(() => {
    const { count: oldCount, firstKey: oldFirst, top } = before.current;
    const box = scroller.current;
    const rows = list.current?.children;
    before.current = { count, firstKey, top: topOf(rows?.[0]) };
    if (!(box && rows) || firstKey === oldFirst || oldCount === 0 || count <= oldCount) return;
    // Not by the height of what came: with the last page the mark above the messages goes.
    const oldFirstRow = rows[count - oldCount];
    if (oldFirstRow) box.scrollTop += topOf(oldFirstRow) - top;
  }, [scroller, list, count, firstKey]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that did not fill the view is followed by the next
  useEffect(() => {
    const element = mark.current;
    if (!(element && enabled)) return;
    const seen = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) load();
      },
      { root: scroller.current, rootMargin: AHEAD },
    );
    seen.observe(element);
    return () => seen.disconnect();
  }, [scroller, enabled, load, firstKey]);

  return mark;
}

function topOf(row: Element | undefined): number {
  return row instanceof HTMLElement ? row.offsetTop : 0;
}
