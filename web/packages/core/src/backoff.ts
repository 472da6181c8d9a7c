/** How long to wait before trying again, and a wait that can be cut short. */

const FIRST_MS = 300;
const LONGEST_MS = 8_000;

/**
 * Milliseconds before attempt `failures + 1`: doubling, capped, and spread over half its length so that
 * the readers of a server that restarted do not all come back at once.
 */
export function delay(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return full / 2 + (random() * full) / 2;
}

/** Resolves after `ms`, or as soon as the browser is back online; rejects when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      globalThis.removeEventListener?.('online', woken);
      then();
    };
    const woken = settle(resolve);
    const aborted = settle(() => reject(signal.reason));
    const timer = setTimeout(woken, ms);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted);
    globalThis.addEventListener?.('online', woken);
  });
}
