/** Hears of presses outside of an open box, which close it. */
import { type RefObject, useEffect } from 'react';
import { useLatest } from './useLatest.js';

type Box = RefObject<HTMLElement | null>;

/** A press of `button`, which opened the box, is for the button itself to answer. */
export function useElsewhere(box: Box, isOpen: boolean, close: () => void, button?: Box): void {
  const latest = useLatest(close);
  useEffect(() => {
    if (!isOpen) return;
    const pressed = ({ target }: PointerEvent) => {
      const isHere = [box, button].some(part => part?.current?.contains(target as Node));
      if (!isHere) latest.current();
    };
    document.addEventListener('pointerdown', pressed);
    return () => document.removeEventListener('pointerdown', pressed);
  }, [box, isOpen, latest, button]);
}
