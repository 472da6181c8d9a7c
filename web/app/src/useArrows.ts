/** Arrow keys move through the rows of a list, and from its first one back to what stands above it. */
import { stepOf } from '@prosa/react';
import { type RefObject, useCallback, useEffect } from 'react';

/** Returns what puts the focus on the first row of `box`. `toAbove` must stay the same function. */
export function useArrows(box: RefObject<HTMLElement | null>, toAbove: () => void): () => void {
  useEffect(() => {
    const list = box.current;
    const pressed = (event: KeyboardEvent) => {
      const rows = rowsOf(list);
      const at = rows.indexOf(event.target as HTMLElement);
      const to = at === -1 ? undefined : stepOf(event.key, at, rows.length);
      if (to === undefined) return;
      event.preventDefault();
      if (to < 0) toAbove();
      else rows[Math.min(to, rows.length - 1)]?.focus();
    };
    list?.addEventListener('keydown', pressed);
    return () => list?.removeEventListener('keydown', pressed);
  }, [box, toAbove]);
  return useCallback(() => rowsOf(box.current)[0]?.focus(), [box]);
}

function rowsOf(list: HTMLElement | null): readonly HTMLElement[] {
  return Array.from(list?.querySelectorAll<HTMLElement>('[data-row]') ?? []);
}
