/** One quiet line over the composer: that the server is away, that it is back, or what was just done. */
import type { Link } from '@prosa/core';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTexts } from './context.js';

/** A line that is back before this was not worth a word. */
const GRACE_MS = 1_500;
const BACK_FOR_MS = 3_000;

export interface StatusLineProps {
  readonly link: Link;
  /** What was just done, for as long as it is worth saying. */
  readonly said: string;
}

export function StatusLine({ link, said }: StatusLineProps) {
  const texts = useTexts();
  const isOnline = useSyncExternalStore(
    watch,
    () => navigator.onLine,
    () => true,
  );
  const isLost = link === 'lost' || !isOnline;
  const [shown, setShown] = useState<'nothing' | 'lost' | 'back'>('nothing');
  useEffect(() => {
    if (isLost) {
      const timer = setTimeout(() => setShown('lost'), isOnline ? GRACE_MS : 0);
      return () => clearTimeout(timer);
    }
    setShown(before => (before === 'lost' ? 'back' : before));
    const timer = setTimeout(() => setShown('nothing'), BACK_FOR_MS);
    return () => clearTimeout(timer);
  }, [isLost, isOnline]);

  const text = { nothing: said, lost: isOnline ? texts.reconnecting : texts.offline, back: texts.back }[
    shown
  ];
  return (
    <div className="prosa-status" aria-live="polite" data-state={shown}>
      {text !== '' && <span>{text}</span>}
    </div>
  );
}

function watch(changed: () => void): () => void {
  globalThis.addEventListener('online', changed);
  globalThis.addEventListener('offline', changed);
  return () => {
    globalThis.removeEventListener('online', changed);
    globalThis.removeEventListener('offline', changed);
  };
}
