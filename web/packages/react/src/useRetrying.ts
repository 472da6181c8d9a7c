/** Asks again by itself what could not be answered for now, after pauses that grow; at once where the browser is back online. */
import { ChatError, delay, pause } from '@prosa/core';
import { useEffect, useRef } from 'react';
import { useLatest } from './useLatest.js';

/** Each failure is another value; null says that there is none. */
export function useRetrying(failure: Error | null, again: () => void): void {
  const latest = useLatest(again);
  const failures = useRef(0);
  useEffect(() => {
    if (!(failure instanceof ChatError && failure.passing)) {
      failures.current = 0;
      return;
    }
    failures.current += 1;
    const controller = new AbortController();
    const shortest = (failure.retryAfter ?? 0) * 1_000;
    pause(Math.max(shortest, delay(failures.current)), controller.signal).then(
      () => latest.current(),
      () => {},
    );
    return () => controller.abort();
  }, [failure, latest]);
}
