/** A small box beside a button, above all else. */
import {
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
} from 'react';
import { useElsewhere } from './useElsewhere.js';
import { type Place, usePlace } from './usePlace.js';

export interface PopoverProps {
  readonly label: string;
  readonly anchor: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

const PLACE: Place = { side: 'below', edge: 'left' };

export function Popover({ label, anchor, onClose, children }: PopoverProps) {
  const box = useRef<HTMLDivElement>(null);
  useElsewhere(box, true, onClose, anchor);
  usePlace(box, anchor, PLACE, onClose);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);

  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.nativeEvent.isComposing) return;
    // Escape closes this and nothing else, such as a running answer.
    event.preventDefault();
    anchor.current?.focus();
    onClose();
  };
  /** Whoever goes on by Tab has left it, too; a window in front of this one is nowhere to go. */
  const left = ({ relatedTarget: to }: FocusEvent) => {
    if (to && ![box, anchor].some(part => part.current?.contains(to))) onClose();
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
      onBlur={left}
    >
      {children}
    </div>
  );
}
