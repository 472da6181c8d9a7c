/** One stay in one conversation; what was begun in it has no effect after it was left. */
import type { Live } from './live.js';

export interface Stay {
  readonly controller: AbortController;
  left: boolean;
  /** The line that tells what others do in the conversation. */
  live: Live | null;
}

export function newStay(): Stay {
  return { controller: new AbortController(), left: false, live: null };
}

/** Ends it. What is on its way to the server is let through where `letThrough` says so. */
export function leave(stay: Stay, letThrough = false): void {
  stay.left = true;
  stay.live?.close();
  if (!letThrough) stay.controller.abort();
}
