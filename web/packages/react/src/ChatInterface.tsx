/** A whole chat: the conversation and the composer, ready to be put into a page. */
import type { ShownMessage } from '@prosa/core';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Announcer } from './Announcer.js';
import { ChatInput, type Draft } from './ChatInput.js';
import { useTexts } from './context.js';
import { MessageList } from './MessageList.js';
import { type UseChatOptions, useChat } from './useChat.js';
import { useLatest } from './useLatest.js';

export interface ChatInterfaceProps extends UseChatOptions {
  readonly placeholder?: string | undefined;
  /** The composer takes the focus as it appears; best left off where that opens a keyboard over the page. */
  readonly autoFocus?: boolean;
  /** Offered as the way on from a conversation that cannot be opened. */
  readonly onStartOver?: (() => void) | undefined;
}

interface Editing {
  readonly id: string;
}

export function ChatInterface({
  placeholder,
  autoFocus = false,
  onStartOver,
  ...options
}: ChatInterfaceProps) {
  const texts = useTexts();
  const chat = useChat(options);
  const { messages, run, returned, takeReturned } = chat;
  const [draft, setDraft] = useState<Draft | null>(null);
  const [editing, setEditing] = useState<Editing | null>(null);

  useEffect(() => {
    if (returned === null) return;
    setDraft({ content: returned });
    takeReturned();
  }, [returned, takeReturned]);

  const edit = useCallback((message: ShownMessage) => {
    setEditing({ id: message.id });
    setDraft({ content: message.content });
  }, []);
  const cancel = useCallback(() => {
    setEditing(null);
    setDraft({ content: '' });
  }, []);
  const send = (content: string) => {
    void (editing ? chat.editMessage(editing.id, content) : chat.sendMessage(content));
    setEditing(null);
  };
  const recall = () => {
    const last = messages.findLast(message => message.role === 'user');
    if (last && !run) edit(last);
  };
  const { retryLastMessage, showBranch, loadOlder, stop, dismissError } = chat;
  const actions = useMemo(
    () => ({
      edit,
      regenerate: () => void retryLastMessage(),
      showBranch: (id: string) => void showBranch(id),
    }),
    [edit, retryLastMessage, showBranch],
  );
  const older = useCallback(() => void loadOlder(), [loadOlder]);
  useEscape(editing ? cancel : run ? stop : null);

  const isClosed = chat.conversation?.status === 'closed';
  const cannotOpen = chat.error?.at === 'open';
  return (
    <div className="prosa">
      <MessageList
        // A list that starts over starts at its end.
        key={chat.opening ? 'opening' : 'open'}
        messages={messages}
        run={run}
        opening={chat.opening}
        hasOlder={chat.hasOlder}
        error={chat.error}
        actions={actions}
        onOlder={older}
        onRetry={actions.regenerate}
        onDismiss={dismissError}
        onStartOver={onStartOver}
      />
      <Announcer content={messages.at(-1)?.content ?? ''} writing={run !== null} />
      <div className="prosa-foot">
        {editing && (
          <p className="prosa-editing">
            <span>{texts.editing}</span>
            <button type="button" className="prosa-button" onClick={cancel}>
              {texts.cancel}
            </button>
          </p>
        )}
        {isClosed ? (
          <p className="prosa-muted">{texts.closed}</p>
        ) : (
          <ChatInput
            onSend={send}
            disabled={chat.loading || cannotOpen}
            placeholder={placeholder}
            autoFocus={autoFocus}
            onStop={run ? () => void stop() : undefined}
            stopping={run?.stopping ?? false}
            draft={draft}
            onRecall={recall}
          />
        )}
      </div>
    </div>
  );
}

/** Escape works wherever the focus is, unless something nearer to it, such as a dialog, has used it. */
function useEscape(action: (() => unknown) | null): void {
  const latest = useLatest(action);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const isTaken = event.defaultPrevented || document.querySelector('dialog[open]') !== null;
      if (event.key === 'Escape' && !event.isComposing && !isTaken) latest.current?.();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [latest]);
}
