/** Gives each conversation a chat of its own, except that one made by its first message stays where it began. */
import { useCallback, useState } from 'react';

export interface Room {
  /** Changes when the reader goes to another conversation. */
  readonly key: number;
  /** Says that the conversation about to be shown is the one that is already here. */
  readonly keep: (id: string) => void;
}

interface Place {
  readonly shown: string | null;
  readonly made: string | null;
  readonly key: number;
}

export function useRoom(shown: string | null): Room {
  const [place, setPlace] = useState<Place>({ shown, made: null, key: 0 });
  if (place.shown !== shown) {
    const stays = shown !== null && shown === place.made;
    setPlace({ shown, made: null, key: stays ? place.key : place.key + 1 });
  }
  const keep = useCallback((id: string) => setPlace(before => ({ ...before, made: id })), []);
  return { key: place.key, keep };
}
