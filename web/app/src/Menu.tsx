/** A button with a menu of actions behind it: arrows move, Escape and a click elsewhere close it. */
import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

export interface MenuItem {
  readonly name: string;
  readonly icon: ReactNode;
  readonly isDangerous?: boolean;
  readonly onChoose: () => void;
}

export interface MenuProps {
  readonly label: string;
  readonly icon: ReactNode;
  readonly items: readonly MenuItem[];
}

export function Menu({ label, icon, items }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const close = (isBack: boolean) => {
    setOpen(false);
    if (isBack) button.current?.focus();
  };
  return (
    <span className="app-menu">
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
      {isOpen && <List id={id} label={label} items={items} anchor={button} onClose={close} />}
    </span>
  );
}

interface ListProps extends Pick<MenuProps, 'label' | 'items'> {
  readonly id: string;
  readonly anchor: React.RefObject<HTMLButtonElement | null>;
  readonly onClose: (isBack: boolean) => void;
}

function List({ id, label, items, anchor, onClose }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  usePosition(list, anchor);
  useElsewhere(list, anchor, () => onClose(false));
  useEffect(() => entriesOf(list.current)[0]?.focus({ preventScroll: true }), []);

  const pressed = (event: KeyboardEvent) => {
    const entries = entriesOf(list.current);
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const to = STEPS[event.key]?.(at, entries.length);
    if (to !== undefined) entries.at(to % entries.length)?.focus();
    else if (event.key === 'Escape') onClose(true);
    else if (event.key === 'Tab') return onClose(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={list}
      id={id}
      role="menu"
      tabIndex={-1}
      aria-label={label}
      className="app-menu-list"
      onKeyDown={pressed}
    >
      {items.map(({ name, icon, isDangerous = false, onChoose }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          data-dangerous={isDangerous}
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

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: at => at + 1,
  ArrowUp: at => at - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

function entriesOf(list: HTMLElement | null): readonly HTMLElement[] {
  return Array.from(list?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? []);
}

/** Below its button, or above where there is no room; it is not cut off by what scrolls around it. */
function usePosition(
  list: React.RefObject<HTMLElement | null>,
  anchor: React.RefObject<HTMLElement | null>,
): void {
  useLayoutEffect(() => {
    const [box, button] = [list.current, anchor.current];
    if (!(box && button)) return;
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = box;
    const isAbove = at.bottom + height + GAP > innerHeight && at.top > height + GAP;
    box.style.top = `${isAbove ? at.top - height - GAP : at.bottom + GAP}px`;
    box.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - width - GAP))}px`;
  }, [list, anchor]);
}

const GAP = 4;

function useElsewhere(
  list: React.RefObject<HTMLElement | null>,
  anchor: React.RefObject<HTMLElement | null>,
  close: () => void,
): void {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    const elsewhere = ({ target }: Event) => {
      const isHere = [list, anchor].some(box => target instanceof Node && box.current?.contains(target));
      if (!isHere) latest.current();
    };
    document.addEventListener('pointerdown', elsewhere);
    document.addEventListener('scroll', elsewhere, { capture: true, passive: true });
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      document.removeEventListener('scroll', elsewhere, { capture: true });
    };
  }, [list, anchor]);
}
