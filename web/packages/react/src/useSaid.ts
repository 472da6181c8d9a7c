/** A word on what was just done, said for a moment. */
import { useEffect, useState } from 'react';

const SAID_FOR_MS = 2_500;

export function useSaid(): readonly [string, (text: string) => void] {
  const [said, say] = useState('');
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => say(''), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return [said, say];
}
