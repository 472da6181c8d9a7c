/** Asks before something is done that cannot be undone, and says if it could not be done. */
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
  const [problem, setProblem] = useState<string | null>(null);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} bare={true} onClose={onClose}>
      <p>{warning}</p>
      {problem !== null && <p role="alert">{problem}</p>}
      <div className="prosa-dialog-foot">
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
      </div>
    </Dialog>
  );
}
