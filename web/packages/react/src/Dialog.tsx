/** A dialog over the page: it opens when it is drawn, and Escape closes it unless something is going on in it. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Says that something wide is shown. */
  readonly wide?: boolean;
  /** Says that it must not be closed now. */
  readonly busy?: boolean;
  /** Says that a button at its foot closes it, so that none stands at its head. */
  readonly bare?: boolean;
  readonly children: ReactNode;
}

export function Dialog(props: DialogProps) {
  const { title, onClose, wide = false, busy = false, bare = false, children } = props;
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
    <dialog
      ref={dialog}
      className="prosa-dialog"
      data-wide={wide}
      aria-labelledby={id}
      onClose={onClose}
      onKeyDown={event => {
        // A browser lets only the first of two cancels be refused: the second Escape would close it.
        if (busy && event.key === 'Escape') event.preventDefault();
      }}
      onCancel={event => {
        if (busy) event.preventDefault();
      }}
    >
      <div className="prosa-dialog-head">
        <h2 id={id}>{title}</h2>
        {!bare && (
          <button
            type="button"
            className="prosa-action"
            aria-label={texts.close}
            title={texts.close}
            disabled={busy}
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      {children}
    </dialog>
  );
}
