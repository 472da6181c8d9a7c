/** What can be done to the messages of a chat; the same object as long as the chat lives. */
import type { Feedback, ShownMessage } from '@prosa/core';
import { useMemo } from 'react';
import type { Asking } from './Askings.js';
import type { RowActions } from './MessageRow.js';
import type { UseChat } from './useChat.js';

export interface RowActionsOptions {
  readonly edit: (message: ShownMessage) => void;
  readonly ask: (asking: Asking) => void;
  readonly isRated: boolean;
}

export function useRowActions(chat: UseChat, { edit, ask, isRated }: RowActionsOptions): RowActions {
  const { regenerateMessage, showBranch, decide, bring, rateMessage } = chat;
  return useMemo(
    () => ({
      edit,
      regenerate: (id: string) => void regenerateMessage(id),
      showBranch: (id: string) => void showBranch(id),
      remove: (messageId: string) => ask({ what: 'delete', messageId }),
      decide: (callId: string, approve: boolean) => void decide(callId, approve),
      bring: (callId: string, output: string) => void bring(callId, output),
      rate: isRated ? (id: string, feedback: Feedback | null) => void rateMessage(id, feedback) : undefined,
    }),
    [edit, ask, isRated, regenerateMessage, showBranch, decide, bring, rateMessage],
  );
}
