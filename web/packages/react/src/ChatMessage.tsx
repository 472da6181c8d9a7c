/** One message: the user's in a quiet bubble, the assistant's standing free. */
import type { Role } from '@prosa/core';
import { memo, type ReactNode } from 'react';
import { useProsa } from './context.js';
import { StreamingMessage } from './StreamingMessage.js';

export interface ChatMessageProps {
  readonly role: Role;
  readonly content: string;
  readonly timestamp?: Date | string | undefined;
  /** True while more of it is to come. */
  readonly streaming?: boolean;
  /** Shown above the text, such as what the assistant is doing. */
  readonly before?: ReactNode;
  /** Shown under the text, such as that it is not complete. */
  readonly note?: ReactNode;
  /** Buttons that appear when the message is pointed at or focused. */
  readonly actions?: ReactNode;
}

export const ChatMessage = memo(function ChatMessage(props: ChatMessageProps) {
  const { role, content, timestamp, streaming = false, before, note, actions } = props;
  const { texts } = useProsa();
  const isUser = role === 'user';
  return (
    <article className="prosa-message" data-role={role}>
      <h2 className="prosa-hidden">{isUser ? texts.you : texts.assistant}</h2>
      {before}
      {isUser ? (
        <p className="prosa-bubble">{content}</p>
      ) : (
        <Answer content={content} streaming={streaming} />
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

function Answer({ content, streaming }: { readonly content: string; readonly streaming: boolean }) {
  // Before the first word the list's own indicator speaks.
  return content === '' ? null : <StreamingMessage content={content} isComplete={!streaming} />;
}

function Time({ at }: { readonly at: Date | string }) {
  const { language } = useProsa();
  const date = new Date(at);
  const today = new Date().toDateString() === date.toDateString();
  const format: Intl.DateTimeFormatOptions = today
    ? { timeStyle: 'short' }
    : { dateStyle: 'medium', timeStyle: 'short' };
  return <time dateTime={date.toISOString()}>{date.toLocaleString(language, format)}</time>;
}
