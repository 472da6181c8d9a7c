/** Whether the page is as narrow as a phone, where the list of conversations becomes a drawer. */
import { useSyncExternalStore } from 'react';

const NARROW = '(max-width: 52rem)';

export function useNarrow(): boolean {
  return useSyncExternalStore(
    watch,
    () => matchMedia(NARROW).matches,
    () => false,
  );
}

function watch(changed: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}
