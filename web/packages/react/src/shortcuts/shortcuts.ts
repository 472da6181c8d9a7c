/** The keyboard shortcuts that hold at the moment, whichever parts of the page brought them. */
import { isBare, isPressed } from './keys.js';

export interface Shortcut {
  /** Such as `mod+k`, `?` or `Shift+Escape`; `mod` is Command on Apple's machines, else Control. */
  readonly keys: string;
  /** What it does, for the list of shortcuts. */
  readonly label: string;
  readonly section: 'writing' | 'conversation' | 'page';
  /** Without it the shortcut is only listed: another part hears it. */
  readonly run?: (() => void) | undefined;
}

type Given = readonly Shortcut[];

const SINGLE_KEY = 'prosa.single-keys';

let all: readonly Given[] = [];
let listed: Given = [];
const watchers = new Set<() => void>();

/** Adds shortcuts; returns what takes them away again. */
export function add(given: Given): () => void {
  if (all.length === 0) document.addEventListener('keydown', pressed);
  set([...all, given]);
  return () => {
    set(all.filter(each => each !== given));
    if (all.length === 0) document.removeEventListener('keydown', pressed);
  };
}

export function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

export function list(): Given {
  return listed;
}

/** Single keys can be turned off, for those who speak to their machine or strike keys by accident. */
export function hasSingleKeys(): boolean {
  try {
    return localStorage.getItem(SINGLE_KEY) !== 'off';
  } catch {
    return true;
  }
}

export function setSingleKeys(on: boolean): void {
  try {
    if (on) localStorage.removeItem(SINGLE_KEY);
    else localStorage.setItem(SINGLE_KEY, 'off');
  } catch {
    // Storage may be forbidden; the keys then stay on.
  }
  for (const watcher of watchers) watcher();
}

function set(next: readonly Given[]): void {
  all = next;
  listed = all.flat();
  for (const watcher of watchers) watcher();
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat || isCovered()) return;
  // What came last stands nearest.
  const found = listed.findLast(({ keys, run }) => run && isPressed(event, keys) && isAllowed(event, keys));
  if (!found) return;
  event.preventDefault();
  found.run?.();
}

function isAllowed(event: KeyboardEvent, keys: string): boolean {
  return !isBare(keys) || (hasSingleKeys() && !isWriting(event.target));
}

/** A dialog or a small box has the keyboard for itself. */
function isCovered(): boolean {
  return document.querySelector('dialog[open], .prosa-popover') !== null;
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest('input, textarea, select, [role="menu"]') !== null)
  );
}
