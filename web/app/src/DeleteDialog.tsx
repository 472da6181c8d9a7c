/** Asks before a conversation is deleted. */
import type { Conversation } from '@prosa/react';
import { useEffect, useRef, useState } from 'react';
import type { AppTexts } from './texts.js';

export interface DeleteDialogProps {
  readonly texts: AppTexts;
  /** The conversation that is asked about; null while none is. */
  readonly conversation: Conversation | null;
  readonly onDelete: (id: string) => Promise<void>;
  readonly onClose: () => void;
}

export function DeleteDialog({ texts, conversation, onDelete, onClose }: DeleteDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!conversation) return;
    setProblem(null);
    dialog.current?.showModal();
  }, [conversation]);
  if (!conversation) return null;

  const remove = async () => {
    try {
      await onDelete(conversation.id);
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const title = conversation.title || texts.untitled;
  return (
    <dialog ref={dialog} className="app-dialog" aria-labelledby="delete-title" onClose={onClose}>
      <h2 id="delete-title">{texts.removeQuestion.replace('{title}', () => title)}</h2>
      <p>{texts.removeWarning}</p>
      {problem !== null && <p role="alert">{problem}</p>}
      <div>
        <button type="button" className="prosa-button" onClick={onClose}>
          {texts.cancel}
        </button>
        <button type="button" className="prosa-button app-danger" onClick={() => void remove()}>
          {texts.remove}
        </button>
      </div>
    </dialog>
  );
}
