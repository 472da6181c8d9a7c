/** Hears of presses outside of an open box, which close it. */
import { type RefObject, useEffect } from 'react';
import { useLatest } from './useLatest.js';

export function useElsewhere(box: RefObject<HTMLElement | null>, isOpen: boolean, close: () => void): void {
  const latest = useLatest(close);
  useEffect(() => {
    if (!isOpen) return;
    const pressed = ({ target }: PointerEvent) => {
      if (target instanceof Node && !box.current?.contains(target)) latest.current();
    };
    document.addEventListener('pointerdown', pressed);
    return () => document.removeEventListener('pointerdown', pressed);
  }, [box, isOpen, latest]);
}
