/** Work that only one window of a browser does at a time. */

/**
 * Waits until no other window of this origin does the work of this name, then does it. Where the browser has no
 * locks, as on a page served over plain http, it is done at once.
 */
export async function alone(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work();
  await locks.request(name, { signal }, work);
}
