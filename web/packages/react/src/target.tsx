/** The message that a conversation is opened at: its branch is shown, it is scrolled to and marked. */
import type { ShownMessage } from '@prosa/core';
import { createContext, type ReactNode, type RefObject, useContext, useEffect, useRef } from 'react';

const Target = createContext<string | null>(null);

export interface MessageTargetProps {
  /** Null where the conversation opens at its end. */
  readonly messageId: string | null;
  readonly children: ReactNode;
}

/** Any chat inside opens at this message, if it is on the shown branch. */
export function MessageTarget({ messageId, children }: MessageTargetProps) {
  return <Target.Provider value={messageId}>{children}</Target.Provider>;
}

interface Shown {
  readonly list: RefObject<HTMLOListElement | null>;
  /** The messages that have a row, in their order. */
  readonly spoken: readonly ShownMessage[];
  /** How many there are in all; each page that did not have the target is followed by the next. */
  readonly count: number;
  readonly hasOlder: boolean;
  readonly load: () => void;
}

/** Fetches earlier messages until the target is among them, then goes there once. */
export function useTarget({ list, spoken, count, hasOlder, load }: Shown): void {
  const target = useContext(Target);
  const reached = useRef<string | null>(null);
  const isSought = target !== null && reached.current !== target;
  const at = isSought ? spoken.findIndex(({ id }) => id === target) : -1;

  useEffect(() => {
    if (isSought && at === -1 && count > 0 && hasOlder) load();
  }, [isSought, at, count, hasOlder, load]);

  useEffect(() => {
    const row = list.current?.children[at];
    if (!(isSought && row instanceof HTMLElement)) return;
    reached.current = target;
    row.tabIndex = -1;
    row.dataset.target = 'true';
    row.scrollIntoView({ block: row.offsetHeight > innerHeight / 2 ? 'start' : 'center' });
    row.focus({ preventScroll: true });
  }, [isSought, at, target, list]);
}
