/** Asks before a conversation is deleted. */
import { ConfirmDialog, type Conversation } from '@prosa/react';
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
  return (
    <ConfirmDialog
      key={conversation.id}
      title={texts.removeQuestion.replace('{title}', () => conversation.title || texts.untitled)}
      warning={texts.removeWarning}
      name={texts.remove}
      onConfirm={() => onDelete(conversation.id)}
      onClose={onClose}
    />
  );
}
