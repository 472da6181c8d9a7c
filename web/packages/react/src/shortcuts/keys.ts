/** What a combination of keys is called, and whether a press is it. */

/** The key that commands are given with: Command on Apple's machines, else Control. */
const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

const MODIFIERS = ['mod', 'shift', 'alt'] as const;

/** `keys` is written as `mod+shift+o`, `?` or `Shift+Escape`: modifiers in small letters, then the key's own name. */
export function isPressed(event: KeyboardEvent, keys: string): boolean {
  const { key, modifiers } = parsed(keys);
  const isMod = isApple ? event.metaKey : event.ctrlKey;
  const isOther = isApple ? event.ctrlKey : event.metaKey;
  if (isOther || isMod !== modifiers.has('mod') || event.altKey !== modifiers.has('alt')) return false;
  // Some keyboards need Shift for a sign itself, as for the question mark.
  const isSign = key.length === 1 && key.toLowerCase() === key.toUpperCase();
  if (!isSign && event.shiftKey !== modifiers.has('shift')) return false;
  return event.key.toLowerCase() === key.toLowerCase();
}

/** Whether it is one key alone, which means something else to whoever is writing. */
export function isBare(keys: string): boolean {
  const { key, modifiers } = parsed(keys);
  return key.length === 1 && !modifiers.has('mod') && !modifiers.has('alt');
}

/** The keys as they are written on the keyboard. */
export function keysOf(keys: string): readonly string[] {
  const { key, modifiers } = parsed(keys);
  const names = isApple ? { mod: '⌘', shift: '⇧', alt: '⌥' } : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt' };
  const own = SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return [...MODIFIERS.filter(each => modifiers.has(each)).map(each => names[each]), own];
}

const SIGNS: Readonly<Record<string, string>> = { ArrowUp: '↑', Escape: 'Esc' };

function parsed(keys: string) {
  const names = keys === '+' ? ['+'] : keys.split('+');
  const key = names.at(-1) ?? '';
  return { key, modifiers: new Set(names.slice(0, -1).map(name => name.toLowerCase())) };
}
