/** An open drawer takes the focus, gives it back when it closes, and closes on Escape. */
import { useLatest } from '@prosa/react';
import { type RefObject, useEffect } from 'react';

export function useDrawerFocus(
  panel: RefObject<HTMLElement | null>,
  isOpen: boolean,
  close: () => void,
): void {
  const latest = useLatest(close);
  useEffect(() => {
    if (!isOpen) return;
    const before = document.activeElement;
    // Whatever has asked for the focus meanwhile, such as the search, keeps it.
    if (!panel.current?.contains(before)) panel.current?.querySelector<HTMLElement>('button, a')?.focus();
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      latest.current();
    };
    const listening = panel.current;
    listening?.addEventListener('keydown', pressed);
    return () => {
      listening?.removeEventListener('keydown', pressed);
      // The page behind is inert until this render is done.
      if (before instanceof HTMLElement) requestAnimationFrame(() => before.focus());
    };
  }, [panel, isOpen, latest]);
}
