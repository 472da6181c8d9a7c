/** What is being written: a new message, or another version of an earlier one, with its files. */
import { attachmentsOf, type ShownMessage } from '@prosa/core';
import { useCallback, useEffect, useState } from 'react';
import type { Draft } from '../ChatInput.js';
import type { UseAttachments } from '../files/useAttachments.js';
import type { UseChat } from '../useChat.js';

export interface UseDraft {
  readonly draft: Draft | null;
  readonly isEditing: boolean;
  readonly edit: (message: ShownMessage) => void;
  /** Edits the last message of the user's. */
  readonly editLast: () => void;
  readonly cancel: () => void;
  readonly send: (content: string) => void;
  /** Puts a text where the cursor is. */
  readonly insert: (content: string) => void;
}

export function useDraft(chat: UseChat, files: UseAttachments): UseDraft {
  const { messages, run, returned, takeReturned, editMessage, sendMessage } = chat;
  const { reset, attachments } = files;
  const [draft, setDraft] = useState<Draft | null>(null);
  const [editing, setEditing] = useState<string | null>(null);

  useEffect(() => {
    if (returned === null) return;
    setDraft({ content: returned.content });
    reset(returned.attachments);
    takeReturned();
  }, [returned, takeReturned, reset]);

  const edit = useCallback(
    (message: ShownMessage) => {
      setEditing(message.id);
      setDraft({ content: message.content });
      reset(attachmentsOf(message));
    },
    [reset],
  );
  const cancel = useCallback(() => {
    setEditing(null);
    setDraft({ content: '' });
    reset([]);
  }, [reset]);
  const editLast = () => {
    const last = messages.findLast(message => message.role === 'user');
    if (last && !run) edit(last);
  };
  const send = (content: string) => {
    void (editing === null ? sendMessage(content, attachments) : editMessage(editing, content, attachments));
    setEditing(null);
    reset([]);
  };
  const insert = useCallback((content: string) => setDraft({ content, at: 'cursor' }), []);
  return { draft, isEditing: editing !== null, edit, editLast, cancel, send, insert };
}
