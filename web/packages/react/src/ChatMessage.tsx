/** One message: the user's in a quiet bubble, the assistant's standing free. */
import type { AnswerPart, Part, Role } from '@prosa/core';
import { memo, type ReactNode } from 'react';
import { useProsa } from './context.js';
import { MessageFiles } from './files/MessageFiles.js';
import { MessageParts } from './MessageParts.js';
import { Time } from './Time.js';
import type { CallActions } from './ToolCall.js';

export interface ChatMessageProps {
  readonly role: Role;
  readonly content: string;
  readonly timestamp?: Date | string | undefined;
  /** True while more of it is to come. */
  readonly streaming?: boolean;
  /** An answer's texts, thoughts and calls in their order; without them, `content` is all of it. */
  readonly parts?: readonly AnswerPart[] | undefined;
  /** A user's message as it is stored, where it carries files. */
  readonly stored?: readonly Part[] | undefined;
  /** What can be done about calls that wait. */
  readonly callActions?: CallActions | undefined;
  /** Shown under the text, such as that it is not complete. */
  readonly note?: ReactNode;
  /** Buttons that appear when the message is pointed at or focused. */
  readonly actions?: ReactNode;
}

export const ChatMessage = memo(function ChatMessage(props: ChatMessageProps) {
  const { role, content, timestamp, streaming = false, parts, stored, callActions, note, actions } = props;
  const { texts } = useProsa();
  const isUser = role === 'user';
  return (
    <article className="prosa-message" data-role={role}>
      <h2 className="prosa-hidden">{isUser ? texts.you : texts.assistant}</h2>
      {isUser ? (
        <>
          {stored && <MessageFiles parts={stored} />}
          {content !== '' && <p className="prosa-bubble">{content}</p>}
        </>
      ) : (
        <MessageParts parts={parts ?? textAlone(content)} streaming={streaming} actions={callActions} />
      )}
      {note}
      {(actions || timestamp) && !streaming && (
        <footer className="prosa-actions">
          {actions}
          {timestamp && <Time at={timestamp} />}
        </footer>
      )}
    </article>
  );
});

/** Before the first word the list's own indicator speaks. */
function textAlone(content: string): readonly AnswerPart[] {
  return content === '' ? [] : [{ type: 'text', text: content }];
}
