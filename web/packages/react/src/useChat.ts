/** A conversation as a hook: its messages as they grow, and what can be done in it. */
import {
  type ActiveRun,
  type Attachment,
  Chat,
  type ChatSettings,
  type Conversation,
  EMPTY,
  type Failure,
  type Feedback,
  type Link,
  type Message,
  type Returned,
  type ShownMessage,
} from '@prosa/core';
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useProsa } from './context.js';
import { useLatest } from './useLatest.js';

export interface UseChatOptions extends ChatSettings {
  /** Accepted for the host's convenience; who is asking is decided by the token alone. */
  readonly userId?: string | undefined;
  /** A conversation's id, or a name of the host's own for one; without it the first message makes one. */
  readonly conversationId?: string | null | undefined;
  readonly onMessageSent?: ((message: Message) => void) | undefined;
  readonly onConversationCreated?: ((conversation: Conversation) => void) | undefined;
  /** Its title, its head or something else has changed, here or in another window. */
  readonly onConversationChanged?: ((conversation: Conversation) => void) | undefined;
}

export interface UseChat {
  readonly messages: readonly ShownMessage[];
  /** True while the conversation loads and while an answer is being written. */
  readonly loading: boolean;
  readonly error: Failure | null;
  /** Resolves when the answer has ended; a failure is told by `error`. */
  readonly sendMessage: (content: string, attachments?: readonly Attachment[]) => Promise<void>;
  /** Deletes every message; the conversation stays. */
  readonly clearMessages: () => Promise<void>;
  /** Does again what failed; where nothing did, asks for another last answer. */
  readonly retryLastMessage: () => Promise<void>;
  /** Asks for another answer in place of this one, in a branch of its own. */
  readonly regenerateMessage: (id: string) => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Asks anew in place of a message, in a branch of its own. */
  readonly editMessage: (id: string, content: string, attachments?: readonly Attachment[]) => Promise<void>;
  /** Deletes a message and all that follows it. */
  readonly deleteMessage: (id: string) => Promise<void>;
  /** Keeps what the reader thinks of an answer; null takes it back. */
  readonly rateMessage: (id: string, feedback: Feedback | null) => Promise<void>;
  readonly showBranch: (messageId: string) => Promise<void>;
  readonly loadOlder: () => Promise<void>;
  readonly hasOlder: boolean;
  readonly dismissError: () => void;
  /** Gives a question that was refused back to the composer, as `returned`. */
  readonly takeBack: () => void;
  readonly takeReturned: () => void;
  /** Allows or denies a call of a tool that the run waits to make. */
  readonly decide: (callId: string, approve: boolean) => Promise<void>;
  /** Brings the output of a call that the page has no handler for. */
  readonly bring: (callId: string, output: string) => Promise<void>;
  /** Chooses the model that answers from now on in this conversation, by its id. */
  readonly chooseModel: (id: string) => Promise<void>;
  readonly chosenModel: string | null;
  readonly conversation: Conversation | null;
  readonly opening: boolean;
  readonly loadingOlder: boolean;
  readonly run: ActiveRun | null;
  readonly returned: Returned | null;
  /** Whether what others do in the conversation is seen as they do it. */
  readonly link: Link;
}

export function useChat(options: UseChatOptions = {}): UseChat {
  const { client } = useProsa();
  const latest = useLatest(options);
  const chat = useMemo(
    () =>
      new Chat({
        client,
        settings: () => settingsOf(latest.current),
        onSent: message => latest.current.onMessageSent?.(message),
        onCreated: conversation => latest.current.onConversationCreated?.(conversation),
        onChanged: conversation => latest.current.onConversationChanged?.(conversation),
      }),
    [client, latest],
  );
  const state = useSyncExternalStore(
    chat.watch,
    useCallback(() => chat.state, [chat]),
    () => EMPTY,
  );
  const conversationId = options.conversationId || null;
  useEffect(() => {
    void chat.open(conversationId);
  }, [chat, conversationId]);
  useEffect(() => () => chat.close(), [chat]);
  useReturnToPage(chat);

  const actions = useMemo(() => actionsOf(chat), [chat]);
  return useMemo(
    () => ({
      ...actions,
      messages: state.messages,
      loading: state.loading || state.run !== null,
      error: state.error,
      hasOlder: state.older !== null,
      conversation: state.conversation,
      opening: state.loading,
      loadingOlder: state.loadingOlder,
      run: state.run,
      returned: state.returned,
      chosenModel: state.choice,
      link: state.link,
    }),
    [actions, state],
  );
}

function actionsOf(chat: Chat) {
  return {
    sendMessage: (content: string, attachments?: readonly Attachment[]) => chat.send(content, attachments),
    clearMessages: () => chat.clear(),
    retryLastMessage: () => chat.retry(),
    regenerateMessage: (id: string) => chat.regenerate(id),
    stop: () => chat.stop(),
    editMessage: (id: string, content: string, attachments?: readonly Attachment[]) =>
      chat.edit(id, content, attachments),
    deleteMessage: (id: string) => chat.remove(id),
    rateMessage: (id: string, feedback: Feedback | null) => chat.rate(id, feedback),
    showBranch: (messageId: string) => chat.show(messageId),
    loadOlder: () => chat.loadOlder(),
    dismissError: () => chat.forgive(),
    takeBack: () => chat.takeBack(),
    takeReturned: () => chat.takeReturned(),
    decide: (callId: string, approve: boolean) => chat.decide(callId, approve),
    bring: (callId: string, output: string) => chat.bring(callId, output),
    chooseModel: (id: string) => chat.choose(id),
  };
}

/** Somebody who comes back to the page sees what happened in the conversation meanwhile. */
function useReturnToPage(chat: Chat): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void chat.refresh();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [chat]);
}

function settingsOf(options: UseChatOptions): ChatSettings {
  const { systemPrompt, provider, model, temperature, maxTokens, tools, serverTools } = options;
  return { systemPrompt, provider, model, temperature, maxTokens, tools, serverTools };
}
