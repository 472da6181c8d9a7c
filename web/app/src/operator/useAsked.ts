/** Something that is asked of the server, and asked again: after a while, when somebody comes back, or when told to. */
import { asChatError, type ChatError } from '@prosa/core';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface Asked<T> {
  /** The last answer; it stays while a newer one is on its way. */
  readonly value: T | null;
  readonly error: ChatError | null;
  readonly loading: boolean;
  readonly refresh: () => void;
}

/** `ask` must stay the same function as long as it asks the same. `everyMs` looks again as long as the page is seen. */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs?: number): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, 'refresh'>>(NOTHING);
  const controller = useRef<AbortController | null>(null);

  const refresh = useCallback(() => {
    controller.current?.abort();
    const mine = new AbortController();
    controller.current = mine;
    setState(before => ({ ...before, loading: true }));
    ask(mine.signal).then(
      value => {
        if (!mine.signal.aborted) setState({ value, error: null, loading: false });
      },
      cause => {
        if (!mine.signal.aborted) {
          setState(before => ({ ...before, error: asChatError(cause), loading: false }));
        }
      },
    );
  }, [ask]);

  useEffect(() => {
    setState(NOTHING);
    refresh();
    return () => controller.current?.abort();
  }, [refresh]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const look = () => {
      if (document.visibilityState === 'visible') refresh();
    };
    const timer = setInterval(look, everyMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [refresh, everyMs]);

  return { ...state, refresh };
}

const NOTHING = { value: null, error: null, loading: true } as const;
