/** A dialog with a form that is sent; what is refused is said where it was written. */
import { Dialog } from '@prosa/react';
import { type ReactNode, useState } from 'react';
import type { OperatorTexts } from './texts.js';

export interface FormDialogProps {
  readonly texts: OperatorTexts;
  readonly title: string;
  /** What the button that sends it says. */
  readonly name: string;
  readonly onSend: (given: FormData) => Promise<void>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function FormDialog({ texts, title, name, onSend, onClose, children }: FormDialogProps) {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = async (form: HTMLFormElement) => {
    setSending(true);
    setProblem(null);
    try {
      await onSend(new FormData(form));
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setSending(false);
    }
  };
  return (
    <Dialog title={title} bare={true} onClose={onClose}>
      <form
        className="app-form"
        onSubmit={event => {
          event.preventDefault();
          void send(event.currentTarget);
        }}
      >
        {children}
        {problem !== null && <p role="alert">{problem}</p>}
        <div className="prosa-dialog-foot">
          <button type="button" className="prosa-button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" className="prosa-button prosa-strong" disabled={isSending}>
            {isSending ? texts.saving : name}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
