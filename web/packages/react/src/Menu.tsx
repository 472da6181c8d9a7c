/** A button with a menu of actions above it: arrows move, Escape and a click elsewhere close it. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { Icon, type IconName } from './Icon.js';
import { useElsewhere } from './useElsewhere.js';

export interface MenuItem {
  readonly name: string;
  readonly icon: IconName;
  readonly disabled?: boolean;
  readonly onChoose: () => void;
}

export interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
}

export function Menu({ label, items }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useElsewhere(box, isOpen, () => setOpen(false));
  const close = () => {
    setOpen(false);
    button.current?.focus();
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
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && <Items label={label} items={items} onClose={close} />}
    </span>
  );
}

function Items({ label, items, onClose }: MenuProps & { readonly onClose: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => entriesOf(list.current)[0]?.focus(), []);
  const pressed = (event: KeyboardEvent) => {
    const entries = entriesOf(list.current);
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const to = STEPS[event.key]?.(at, entries.length);
    if (to !== undefined) entries.at(to % entries.length)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={list}
      role="menu"
      tabIndex={-1}
      aria-label={label}
      className="prosa-menu-list"
      onKeyDown={pressed}
    >
      {items.map(({ name, icon, disabled = false, onChoose }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          disabled={disabled}
          onClick={() => {
            onClose();
            onChoose();
          }}
        >
          <Icon name={icon} />
          {name}
        </button>
      ))}
    </div>
  );
}

/** Where each key leads in a menu. */
const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: at => at + 1,
  ArrowUp: at => at - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

function entriesOf(list: HTMLElement | null): readonly HTMLElement[] {
  return Array.from(list?.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)') ?? []);
}
