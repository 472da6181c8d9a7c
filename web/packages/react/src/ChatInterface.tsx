/** A whole chat: the conversation and the composer, ready to be put into a page. */
import type { ShownMessage } from '@prosa/core';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Announcer } from './Announcer.js';
import { ChatInput, type Draft } from './ChatInput.js';
import { useTexts } from './context.js';
import { MessageList } from './MessageList.js';
import { ModelPicker } from './ModelPicker.js';
import { modelInUse } from './modelNames.js';
import { RunWaits } from './RunProgress.js';
import { type UseChat, type UseChatOptions, useChat } from './useChat.js';
import { useLatest } from './useLatest.js';
import { useModels } from './useModels.js';

export interface ChatInterfaceProps extends UseChatOptions {
  readonly placeholder?: string | undefined;
  /** The composer takes the focus as it appears; best left off where that opens a keyboard over the page. */
  readonly autoFocus?: boolean;
  /** Offers the choice of the model that answers. */
  readonly modelPicker?: boolean;
  /** Offered as the way on from a conversation that cannot be opened. */
  readonly onStartOver?: (() => void) | undefined;
}

interface Editing {
  readonly id: string;
}

export function ChatInterface({
  placeholder,
  autoFocus = false,
  modelPicker = false,
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
    setDraft({ content: returned.content });
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
  const { retryLastMessage, regenerateMessage, showBranch, loadOlder, stop, dismissError, decide, bring } =
    chat;
  const actions = useMemo(
    () => ({
      edit,
      regenerate: (id: string) => void regenerateMessage(id),
      showBranch: (id: string) => void showBranch(id),
      decide: (callId: string, approve: boolean) => void decide(callId, approve),
      bring: (callId: string, output: string) => void bring(callId, output),
    }),
    [edit, regenerateMessage, showBranch, decide, bring],
  );
  const retry = useCallback(() => void retryLastMessage(), [retryLastMessage]);
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
        onRetry={retry}
        onDismiss={dismissError}
        onStartOver={onStartOver}
      />
      <Announcer content={messages.at(-1)?.content ?? ''} writing={run !== null} />
      <div className="prosa-foot">
        {run && <RunWaits run={run} />}
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
        {modelPicker && !isClosed && (
          <Models chat={chat} provider={options.provider} model={options.model} off={cannotOpen} />
        )}
      </div>
    </div>
  );
}

interface ModelsProps {
  readonly chat: UseChat;
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly off: boolean;
}

function Models({ chat, provider, model, off }: ModelsProps) {
  const { models, error, refresh } = useModels();
  const texts = useTexts();
  if (error && models === null) {
    return (
      <p className="prosa-muted prosa-models">
        {texts.modelsFailed}{' '}
        <button type="button" className="prosa-button" onClick={refresh}>
          {texts.retry}
        </button>
      </p>
    );
  }
  // The place is kept, so that nothing moves when the list comes.
  if (models === null) return <div className="prosa-models" aria-hidden="true" />;
  const { conversation, chosenModel: chosen } = chat;
  return (
    <ModelPicker
      models={models}
      value={modelInUse(models, { chosen, provider, model, conversation })}
      onChoose={id => void chat.chooseModel(id)}
      disabled={off || chat.opening}
    />
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
