/** The end of what is known of a list: the next page comes as it is approached, or says why it did not. */
import { useEffect, useRef } from 'react';
import type { AppTexts } from './texts.js';

export interface MoreProps {
  readonly texts: AppTexts;
  readonly pages: {
    readonly busy: boolean;
    readonly error: Error | null;
    readonly loadMore: () => Promise<void>;
  };
}

const AHEAD = '0px 0px 600px 0px';

export function More({ texts, pages }: MoreProps) {
  const { busy, error, loadMore } = pages;
  const mark = useRef<HTMLDivElement>(null);
  // After each page the mark is looked at anew: it may still be in sight.
  useEffect(() => {
    const element = mark.current;
    if (!element || busy || error) return;
    const seen = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) void loadMore();
      },
      { rootMargin: AHEAD },
    );
    seen.observe(element);
    return () => seen.disconnect();
  }, [busy, error, loadMore]);
  return (
    <div ref={mark} className="app-more">
      {error ? (
        <div role="alert">
          <p>{texts.moreFailed}</p>
          <button type="button" className="prosa-button" onClick={() => void loadMore()}>
            {texts.retry}
          </button>
        </div>
      ) : (
        <span className="prosa-muted">{texts.loading}</span>
      )}
    </div>
  );
}
