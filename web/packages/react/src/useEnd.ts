/** Keeps a scrolling list at its end for a reader who is there, and leaves every other reader in peace. */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

export interface End {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly atEnd: boolean;
  readonly toEnd: () => void;
  /** Leaves the place that is being read alone, until the reader scrolls to the end. */
  readonly hold: () => void;
}

/** Pixels from the end within which a reader counts as being there. */
const NEAR = 40;

export function useEnd(): End {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, []);

  const hold = useCallback(() => {
    const box = scroller.current;
    following.current = false;
    if (box) setAtEnd(isNear(box));
  }, []);

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (!(box && inner)) return;
    let lastTop = box.scrollTop;

    const follow = (is: boolean) => {
      following.current = is;
      setAtEnd(is);
    };
    let unfolding = false;
    const scrolled = () => {
      if (isNear(box)) follow(true);
      else if (box.scrollTop < lastTop - 1) follow(false);
      lastTop = box.scrollTop;
    };
    // The wheel is heard before it scrolls, so that growing text does not win against it.
    const wheeled = (event: WheelEvent) => {
      if (event.deltaY < 0 && box.scrollHeight > box.clientHeight) follow(false);
    };
    // What a reader unfolds stays under their eyes, even if that leaves the end out of sight.
    const unfolded = ({ target }: MouseEvent) => {
      unfolding = target instanceof Element && target.closest('summary, [aria-expanded="false"]') !== null;
    };
    const grown = new ResizeObserver(() => {
      if (unfolding) follow(isNear(box));
      else if (following.current) box.scrollTop = box.scrollHeight;
      unfolding = false;
    });
    inner.addEventListener('click', unfolded, { capture: true });
    box.addEventListener('scroll', scrolled, { passive: true });
    box.addEventListener('wheel', wheeled, { passive: true });
    grown.observe(inner);
    grown.observe(box);
    return () => {
      box.removeEventListener('scroll', scrolled);
      box.removeEventListener('wheel', wheeled);
      inner.removeEventListener('click', unfolded, { capture: true });
      grown.disconnect();
    };
  }, []);

  return { scroller, content, atEnd, toEnd, hold };
}

function isNear(box: HTMLElement): boolean {
  return box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR;
}
