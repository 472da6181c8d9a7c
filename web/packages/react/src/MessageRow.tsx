/** A message in the list, with what can be done to it. */
import { type ActiveRun, type Feedback, isDraft, type ShownMessage, storedParts } from '@prosa/core';
import { memo, useContext, useMemo } from 'react';
import { BranchPicker } from './BranchPicker.js';
import { Busy } from './busy.js';
import { ChatMessage } from './ChatMessage.js';
import { CopyButton } from './CopyButton.js';
import { useProsa, useTexts } from './context.js';
import { FeedbackButtons } from './feedback/FeedbackButtons.js';
import { Icon, type IconName } from './Icon.js';
import { Waiting } from './RunProgress.js';
import { Summary } from './Summary.js';
import type { CallActions } from './ToolCall.js';

/** What a reader can do; the same object as long as the conversation's hook lives. */
export interface RowActions extends CallActions {
  readonly edit: (message: ShownMessage) => void;
  readonly regenerate: (id: string) => void;
  readonly showBranch: (messageId: string) => void;
  /** Asks before it deletes. */
  readonly remove: (messageId: string) => void;
  /** Left out where opinions are not wanted. */
  readonly rate?: ((messageId: string, feedback: Feedback | null) => void) | undefined;
}

export interface MessageRowProps {
  readonly message: ShownMessage;
  /** The run that writes this message, while one does. */
  readonly run: ActiveRun | null;
  /** True where the failure shown below says already that the message is not complete. */
  readonly hasFailed: boolean;
  readonly actions: RowActions;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, run, hasFailed, actions } = props;
  const texts = useTexts();
  const parts = useMemo(() => message.told ?? storedParts(message), [message]);
  const isAnswer = message.role === 'assistant';
  const isCut = isAnswer && message.status === 'incomplete' && !hasFailed;
  if (isAnswer && isDraft(message) && run === null) return null;
  if (message.kind === 'summary') {
    return (
      <li className="prosa-row" data-role="summary">
        <Summary content={message.content} />
      </li>
    );
  }
  return (
    <li className="prosa-row" data-role={message.role}>
      <ChatMessage
        role={message.role}
        content={message.content}
        timestamp={message.createdAt}
        streaming={run !== null}
        parts={parts}
        stored={message.parts}
        callActions={run ? actions : undefined}
        note={
          isCut ? <p className="prosa-muted prosa-cut">{texts.incomplete}</p> : <Kept at={message.cachedAt} />
        }
        actions={<Actions {...props} />}
      />
      {run && <Waiting run={run} />}
    </li>
  );
});

/** Says of an answer that it was kept, and from when it is. */
function Kept({ at }: { readonly at: string | null }) {
  const { texts, language } = useProsa();
  if (!at) return null;
  const time = new Date(at).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  return <p className="prosa-muted prosa-cut">{texts.cached.replace('{time}', time)}</p>;
}

function Actions({ message, actions }: MessageRowProps) {
  const texts = useTexts();
  const busy = useContext(Busy);
  const { id, content, role } = message;
  const isUser = role === 'user';
  const { rate } = actions;
  return (
    <>
      {content !== '' && <CopyButton text={content} label={texts.copy} />}
      {isUser ? (
        <>
          <Action name={texts.edit} icon="edit" disabled={busy} onClick={() => actions.edit(message)} />
          <Action
            name={texts.deleteMessage}
            icon="remove"
            disabled={busy || isDraft(message)}
            onClick={() => actions.remove(id)}
          />
        </>
      ) : (
        <>
          {rate && storedParts(message).length > 0 && (
            <FeedbackButtons feedback={message.feedback} onRate={said => rate(id, said)} />
          )}
          <Action
            name={texts.regenerate}
            icon="retry"
            disabled={busy}
            onClick={() => actions.regenerate(id)}
          />
        </>
      )}
      <BranchPicker message={message} disabled={busy} onShow={actions.showBranch} />
    </>
  );
}

interface ActionProps {
  readonly name: string;
  readonly icon: IconName;
  readonly disabled: boolean;
  readonly onClick: () => void;
}

function Action({ name, icon, disabled, onClick }: ActionProps) {
  return (
    <button
      type="button"
      className="prosa-action"
      aria-label={name}
      title={name}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
