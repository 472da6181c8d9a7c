/** A button with a menu of actions beside it: arrows move, Escape and a click elsewhere close it. */
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';
import { Icon } from './Icon.js';
import { stepOf } from './steps.js';
import { useElsewhere } from './useElsewhere.js';
import { useLatest } from './useLatest.js';
import { type Place, usePlace } from './usePlace.js';

export interface MenuItem {
  readonly name: string;
  readonly icon: ReactNode;
  readonly disabled?: boolean;
  /** Says that it takes something away. */
  readonly dangerous?: boolean;
  readonly onChoose: () => void;
}

export interface MenuProps {
  readonly label: string;
  /** What the button shows; by default three dots. */
  readonly icon?: ReactNode;
  readonly items: readonly MenuItem[];
  readonly place?: Place;
}

const BELOW: Place = { side: 'below', edge: 'left' };

export function Menu({ label, icon = <Icon name="more" />, items, place = BELOW }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useElsewhere(box, isOpen, () => setOpen(false));
  const close = (isBack: boolean) => {
    setOpen(false);
    if (isBack) button.current?.focus();
  };
  return (
    <span ref={box} className="prosa-menu">
      <button
        ref={button}
        type="button"
        className="prosa-action"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {icon}
      </button>
      {isOpen && <Items id={id} label={label} items={items} place={place} anchor={button} onClose={close} />}
    </span>
  );
}

interface ItemsProps extends Pick<MenuProps, 'label' | 'items'> {
  readonly id: string;
  readonly place: Place;
  readonly anchor: RefObject<HTMLButtonElement | null>;
  /** `isBack` where the focus goes back to the button. */
  readonly onClose: (isBack: boolean) => void;
}

function Items({ id, label, items, place, anchor, onClose }: ItemsProps) {
  const list = useRef<HTMLDivElement>(null);
  const leave = () => onClose(false);
  usePlace(list, anchor, place, leave);
  useScrolledAway(anchor, leave);
  useEffect(() => entriesOf(list.current)[0]?.focus({ preventScroll: true }), []);

  const pressed = (event: KeyboardEvent) => {
    const entries = entriesOf(list.current);
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const to = stepOf(event.key, at, entries.length);
    if (to !== undefined) entries.at(to % entries.length)?.focus();
    else if (event.key === 'Escape') onClose(true);
    // The browser goes on from the button.
    else if (event.key === 'Tab') return onClose(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={list}
      id={id}
      popover="manual"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      className="prosa-menu-list"
      onKeyDown={pressed}
    >
      {items.map(({ name, icon, disabled = false, dangerous = false, onChoose }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          disabled={disabled}
          data-dangerous={dangerous}
          onClick={() => {
            onClose(true);
            onChoose();
          }}
        >
          {icon}
          {name}
        </button>
      ))}
    </div>
  );
}

function entriesOf(list: HTMLElement | null): readonly HTMLElement[] {
  return Array.from(list?.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)') ?? []);
}

/** Hears that what the button stands in was scrolled; what scrolls beside it, such as an answer, is no matter. */
function useScrolledAway(anchor: RefObject<HTMLElement | null>, close: () => void): void {
  const latest = useLatest(close);
  useEffect(() => {
    const scrolled = ({ target }: Event) => {
      if (target instanceof Node && target.contains(anchor.current)) latest.current();
    };
    document.addEventListener('scroll', scrolled, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', scrolled, { capture: true });
  }, [anchor, latest]);
}
