/** Asks before something is done that cannot be undone. */
import { useState } from 'react';
import { useTexts } from './context.js';
import { Dialog } from './Dialog.js';

export interface ConfirmDialogProps {
  readonly title: string;
  readonly warning: string;
  /** What the button that does it says. */
  readonly name: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function ConfirmDialog({ title, warning, name, onConfirm, onClose }: ConfirmDialogProps) {
  const texts = useTexts();
  const [isBusy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    await onConfirm();
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{warning}</p>
      <footer>
        <button type="button" className="prosa-button" onClick={onClose}>
          {texts.cancel}
        </button>
        <button
          type="button"
          className="prosa-button prosa-danger"
          disabled={isBusy}
          onClick={() => void confirm()}
        >
          {name}
        </button>
      </footer>
    </Dialog>
  );
}
