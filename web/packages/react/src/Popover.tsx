/** A small box beside a button, above all else: it is not cut off by what scrolls or is contained around it. */
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
} from 'react';
import { useElsewhere } from './useElsewhere.js';
import { useLatest } from './useLatest.js';

export interface PopoverProps {
  readonly label: string;
  readonly anchor: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

const GAP = 6;

export function Popover({ label, anchor, onClose, children }: PopoverProps) {
  const box = useRef<HTMLDivElement>(null);
  const latest = useLatest(onClose);
  useElsewhere(box, true, onClose);
  useLayoutEffect(() => {
    const [element, button] = [box.current, anchor.current];
    if (!(element && button)) return;
    // Where there is no top layer the box stands at its place all the same.
    element.showPopover?.();
    const place = () => {
      const at = button.getBoundingClientRect();
      if (at.bottom < 0 || at.top > innerHeight) return latest.current();
      const { offsetWidth: width, offsetHeight: height } = element;
      const isBelow = at.bottom + GAP + height <= innerHeight || at.top - GAP - height < 0;
      const top = isBelow ? at.bottom + GAP : at.top - GAP - height;
      element.style.top = `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`;
      element.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - width - GAP))}px`;
    };
    place();
    document.addEventListener('scroll', place, { capture: true, passive: true });
    globalThis.addEventListener('resize', place);
    return () => {
      document.removeEventListener('scroll', place, { capture: true });
      globalThis.removeEventListener('resize', place);
    };
  }, [anchor, latest]);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);

  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    // Escape closes this and nothing else, such as a running answer.
    event.preventDefault();
    anchor.current?.focus();
    onClose();
  };
  return (
    <div
      ref={box}
      className="prosa-popover"
      popover="manual"
      role="dialog"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={pressed}
    >
      {children}
    </div>
  );
}
