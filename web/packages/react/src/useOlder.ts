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
  const before = useRef({ count, firstKey });

  useLayoutEffect(() => {
    const { count: oldCount, firstKey: oldFirst } = before.current;
    before.current = { count, firstKey };
    const box = scroller.current;
    const rows = list.current?.children;
    if (!(box && rows) || firstKey === oldFirst || oldCount === 0 || count <= oldCount) return;
    const first = rows[0];
    const oldFirstRow = rows[count - oldCount];
    if (!(first instanceof HTMLElement && oldFirstRow instanceof HTMLElement)) return;
    box.scrollTop += oldFirstRow.offsetTop - first.offsetTop;
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
