/** Puts a box beside its button, above all else: it is not cut off by what scrolls or is contained around it. */
import { type RefObject, useLayoutEffect } from 'react';
import { useLatest } from './useLatest.js';

export interface Place {
  /** Where it stands if there is room on both sides. */
  readonly side: 'above' | 'below';
  /** Which edge it shares with the button. */
  readonly edge: 'left' | 'right';
}

const GAP = 6;

/** The box follows its button; `onLost` is told once that has gone out of sight. */
export function usePlace(
  box: RefObject<HTMLElement | null>,
  anchor: RefObject<HTMLElement | null>,
  { side, edge }: Place,
  onLost: () => void,
): void {
  const lost = useLatest(onLost);
  useLayoutEffect(() => {
    const [element, button] = [box.current, anchor.current];
    if (!(element && button)) return;
    // Where there is no top layer the box stands at its place all the same.
    element.showPopover?.();
    const place = () => {
      const at = button.getBoundingClientRect();
      if (at.bottom < 0 || at.top > innerHeight) return lost.current();
      const { offsetWidth: width, offsetHeight: height } = element;
      const left = edge === 'left' ? at.left : at.right - width;
      element.style.top = `${within(topOf(at, height, side), innerHeight - height)}px`;
      element.style.left = `${within(left, innerWidth - width)}px`;
    };
    place();
    document.addEventListener('scroll', place, { capture: true, passive: true });
    globalThis.addEventListener('resize', place);
    return () => {
      document.removeEventListener('scroll', place, { capture: true });
      globalThis.removeEventListener('resize', place);
    };
  }, [box, anchor, side, edge, lost]);
}

/** The other side is taken only where there is room for it, and none on the wanted one. */
function topOf(at: DOMRect, height: number, side: Place['side']): number {
  const [above, below] = [at.top - GAP - height, at.bottom + GAP];
  const [fitsAbove, fitsBelow] = [above >= 0, below + height <= innerHeight];
  const isBelow = side === 'below' ? fitsBelow || !fitsAbove : fitsBelow && !fitsAbove;
  return isBelow ? below : above;
}

function within(at: number, most: number): number {
  return Math.max(GAP, Math.min(at, most - GAP));
}
