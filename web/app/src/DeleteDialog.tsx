/** Asks before a conversation is deleted. */
import type { Conversation } from '@prosa/react';
import { useState } from 'react';
import { Dialog } from './Dialog.js';
import type { AppTexts } from './texts.js';

export interface DeleteDialogProps {
  readonly texts: AppTexts;
  /** The conversation that is asked about; null while none is. */
  readonly conversation: Conversation | null;
  readonly onDelete: (id: string) => Promise<void>;
  readonly onClose: () => void;
}

export function DeleteDialog({ texts, conversation, onDelete, onClose }: DeleteDialogProps) {
  if (!conversation) return null;
  const title = texts.removeQuestion.replace('{title}', () => conversation.title || texts.untitled);
  return (
    <Dialog key={conversation.id} title={title} onClose={onClose}>
      <Question texts={texts} onYes={() => onDelete(conversation.id)} onClose={onClose} />
    </Dialog>
  );
}

interface QuestionProps {
  readonly texts: AppTexts;
  readonly onYes: () => Promise<void>;
  readonly onClose: () => void;
}

function Question({ texts, onYes, onClose }: QuestionProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const remove = async () => {
    try {
      await onYes();
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <p>{texts.removeWarning}</p>
      {problem !== null && <p role="alert">{problem}</p>}
      <div className="app-dialog-foot">
        <button type="button" className="prosa-button" onClick={onClose}>
          {texts.cancel}
        </button>
        <button type="button" className="prosa-button app-danger" onClick={() => void remove()}>
          {texts.remove}
        </button>
      </div>
    </>
  );
}
