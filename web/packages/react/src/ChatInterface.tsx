/** A whole chat: the conversation and the composer, ready to be put into a page. */
import { useCallback, useState } from 'react';
import { Announcer } from './Announcer.js';
import { type Asking, Askings } from './Askings.js';
import { Foot } from './composer/Foot.js';
import { useDraft } from './composer/useDraft.js';
import { useTexts } from './context.js';
import { useAttachments } from './files/useAttachments.js';
import { useDrop } from './files/useDrop.js';
import { MessageList } from './MessageList.js';
import { fill } from './texts.js';
import { type UseChat, type UseChatOptions, useChat } from './useChat.js';
import { useChatKeys } from './useChatKeys.js';
import { useEscape } from './useEscape.js';
import { useRowActions } from './useRowActions.js';
import { useSaid } from './useSaid.js';

export interface ChatInterfaceProps extends UseChatOptions {
  readonly placeholder?: string | undefined;
  /** The composer takes the focus as it appears; best left off where that opens a keyboard over the page. */
  readonly autoFocus?: boolean;
  /** Offers the choice of the model that answers. */
  readonly modelPicker?: boolean;
  /** Whether files can be sent; they can, unless this is false. */
  readonly attachments?: boolean;
  /** Whether prompt templates are offered; they are, unless this is false. */
  readonly templates?: boolean;
  /** Whether answers can be rated; they can, unless this is false. */
  readonly feedback?: boolean;
  /** Offered as the way on from a conversation that cannot be opened. */
  readonly onStartOver?: (() => void) | undefined;
}

export function ChatInterface(props: ChatInterfaceProps) {
  const { onStartOver, templates = true, feedback = true } = props;
  const texts = useTexts();
  const chat = useChat(props);
  const { messages, run, retryLastMessage, loadOlder } = chat;
  const files = useAttachments();
  const draft = useDraft(chat, files);
  const [said, say] = useSaid();
  const [asking, ask] = useState<Asking | null>(null);
  const [isChoosing, setChoosing] = useState(false);
  const drop = useDrop(takesFiles(props, chat) ? files.add : null);
  const actions = useRowActions(chat, { edit: draft.edit, ask, isRated: feedback });
  useEscape(draft.isEditing ? draft.cancel : run ? chat.stop : null);
  useChatKeys({ chat, actions, say, ask, chooseTemplate: templates ? () => setChoosing(true) : undefined });
  const retry = useCallback(() => void retryLastMessage(), [retryLastMessage]);
  const older = useCallback(() => void loadOlder(), [loadOlder]);
  return (
    <div className="prosa" {...drop.handlers}>
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
        onDismiss={chat.dismissError}
        onStartOver={onStartOver}
        onTakeBack={chat.takeBack}
        hint={templates ? fill(texts.hint, { templates: '/', help: '?' }) : undefined}
      />
      <Announcer content={messages.at(-1)?.content ?? ''} writing={run !== null} />
      <Foot
        options={props}
        chat={chat}
        draft={draft}
        files={files}
        said={said}
        ask={ask}
        isChoosing={isChoosing}
        setChoosing={setChoosing}
      />
      {drop.isOver && (
        <div className="prosa-drop">
          <p>{texts.dropFiles}</p>
        </div>
      )}
      <Askings asking={asking} chat={chat} onClose={() => ask(null)} />
    </div>
  );
}

function takesFiles({ attachments = true }: ChatInterfaceProps, { conversation, error }: UseChat): boolean {
  return attachments && conversation?.status !== 'closed' && error?.at !== 'open';
}
