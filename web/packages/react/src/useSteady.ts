/** Keeps a message where it stands on the screen while another version of it takes its place. */
import type { ShownMessage } from '@prosa/core';
import { type RefObject, useLayoutEffect, useMemo, useRef } from 'react';
import type { RowActions } from './MessageRow.js';
import { useLatest } from './useLatest.js';

export interface SteadyOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly list: RefObject<HTMLOListElement | null>;
  readonly spoken: readonly ShownMessage[];
  readonly actions: RowActions;
  /** Stops following the end. */
  readonly hold: () => void;
}

interface Anchor {
  /** The version that is to be shown. */
  readonly id: string;
  readonly top: number;
}

/** The actions, of which the switch between versions remembers where the reader was. */
export function useSteady({ scroller, list, spoken, actions, hold }: SteadyOptions): RowActions {
  const anchor = useRef<Anchor | null>(null);
  const latest = useLatest(spoken);
  useLayoutEffect(() => {
    const box = scroller.current;
    const { current } = anchor;
    const index = spoken.findIndex(({ id }) => id === current?.id);
    const row = list.current?.children[index];
    if (!(box && current && row)) return;
    anchor.current = null;
    hold();
    box.scrollTop += row.getBoundingClientRect().top - current.top;
  }, [scroller, list, spoken, hold]);

  return useMemo(
    () => ({
      ...actions,
      showBranch: (id: string) => {
        const index = latest.current.findIndex(({ siblings }) => siblings.includes(id));
        const row = list.current?.children[index];
        anchor.current = row ? { id, top: row.getBoundingClientRect().top } : null;
        actions.showBranch(id);
      },
    }),
    [actions, latest, list],
  );
}
