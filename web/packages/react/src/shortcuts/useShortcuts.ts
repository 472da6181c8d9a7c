/** Brings keyboard shortcuts for as long as the component is there; they stand in the list under `?`. */
import { useEffect } from 'react';
import { useLatest } from '../useLatest.js';
import { add, type Shortcut } from './shortcuts.js';

export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useLatest(shortcuts);
  // They are brought anew only when they read differently; what they do is always the latest.
  const written = JSON.stringify(shortcuts.map(({ keys, label, run }) => [keys, label, run !== undefined]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `written` says when they are others
  useEffect(
    () =>
      add(
        latest.current.map((shortcut, at) =>
          shortcut.run ? { ...shortcut, run: () => latest.current[at]?.run?.() } : shortcut,
        ),
      ),
    [latest, written],
  );
}
