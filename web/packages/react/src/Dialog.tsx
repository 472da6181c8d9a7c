/** A dialog over the page: it opens when it is drawn, and Escape closes it. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Says that something wide is shown. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, wide = false, children }: DialogProps) {
  const texts = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const box = dialog.current;
    const before = document.activeElement;
    if (box && !box.open) box.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} className="prosa-dialog" data-wide={wide} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.close}
          title={texts.close}
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
