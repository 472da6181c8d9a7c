/** A word at the foot of the list about what was just done, with a way back, or about what failed, with a way on. */
import { useEffect } from 'react';
import { Glyph } from './Glyph.js';
import type { AppTexts } from './texts.js';

export interface Said {
  readonly text: string;
  readonly isFailure: boolean;
  readonly action?: { readonly name: string; readonly run: () => void };
}

export interface NoticeProps {
  readonly texts: AppTexts;
  readonly said: Said | null;
  readonly onGone: () => void;
}

const SAID_FOR_MS = 8_000;

export function Notice({ texts, said, onGone }: NoticeProps) {
  useEffect(() => {
    // A failure stays until somebody has seen it.
    if (said === null || said.isFailure) return;
    const timer = setTimeout(onGone, SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said, onGone]);
  return (
    // The place is there before its words, so that they are read out.
    <div className="app-said" role={said?.isFailure ? 'alert' : 'status'} data-failure={said?.isFailure}>
      {said && (
        <>
          <span>{said.text}</span>
          {said.action && (
            <button
              type="button"
              className="prosa-button"
              onClick={() => {
                said.action?.run();
                onGone();
              }}
            >
              {said.action.name}
            </button>
          )}
          <button
            type="button"
            className="prosa-action"
            aria-label={texts.dismiss}
            title={texts.dismiss}
            onClick={onGone}
          >
            <Glyph name="close" />
          </button>
        </>
      )}
    </div>
  );
}
