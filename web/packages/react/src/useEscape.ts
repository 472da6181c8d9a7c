/** Hears Escape wherever the focus is, unless something nearer to it, such as a dialog, has used it. */
import { useEffect } from 'react';
import { useLatest } from './useLatest.js';

export function useEscape(action: (() => unknown) | null): void {
  const latest = useLatest(action);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const isTaken = event.defaultPrevented || document.querySelector('dialog[open]') !== null;
      if (event.key === 'Escape' && !event.shiftKey && !event.isComposing && !isTaken) latest.current?.();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [latest]);
}
