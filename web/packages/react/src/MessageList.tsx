/** The conversation as a list that scrolls: earlier messages come as they are approached, the end is followed. */
import type { ActiveRun, Failure, ShownMessage } from '@prosa/core';
import { useEffect, useRef } from 'react';
import { Busy } from './busy.js';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';
import { MessageRow, type RowActions } from './MessageRow.js';
import { Notice } from './Notice.js';
import { Skeleton } from './Skeleton.js';
import { useTarget } from './target.js';
import { useEnd } from './useEnd.js';
import { useOlder } from './useOlder.js';
import { useSteady } from './useSteady.js';

export interface MessageListProps {
  readonly messages: readonly ShownMessage[];
  readonly run: ActiveRun | null;
  readonly opening: boolean;
  readonly hasOlder: boolean;
  readonly error: Failure | null;
  readonly actions: RowActions;
  readonly onOlder: () => void;
  readonly onRetry: () => void;
  readonly onDismiss: () => void;
  readonly onStartOver?: (() => void) | undefined;
  /** Takes a refused question back into the composer. */
  readonly onTakeBack: () => void;
  /** Stands under the greeting of an empty conversation. */
  readonly hint?: string | undefined;
}

export function MessageList(props: MessageListProps) {
  const { messages, run, opening, hasOlder, error, actions, onOlder, onRetry, onDismiss, onStartOver } =
    props;
  const { onTakeBack, hint } = props;
  const texts = useTexts();
  const { scroller, content, atEnd, toEnd, hold } = useEnd();
  const list = useRef<HTMLOListElement>(null);
  const spoken = messages.filter(isSpoken);
  const olderFailed = error?.at === 'older';
  const mark = useOlder({
    scroller,
    list,
    count: spoken.length,
    firstKey: spoken[0] && keyOf(spoken[0]),
    enabled: hasOlder && !opening && !olderFailed,
    load: onOlder,
  });

  useTarget({
    list,
    spoken,
    count: messages.length,
    hasOlder: hasOlder && !opening && !olderFailed,
    load: onOlder,
  });
  const rows = useSteady({ scroller, list, spoken, actions, hold });

  // Whoever sends wants to see what they sent.
  const asked = run !== null && run.id === null ? run.messageId : null;
  useEffect(() => {
    if (asked !== null) toEnd();
  }, [asked, toEnd]);

  const isEmpty = spoken.length === 0 && !opening && error === null;
  const notice = error && (
    <Notice
      failure={error}
      onRetry={onRetry}
      onDismiss={dismissal(error, onDismiss)}
      onStartOver={error.at === 'open' ? onStartOver : undefined}
      onEdit={error.at === 'send' ? onTakeBack : undefined}
    />
  );
  return (
    <div className="prosa-list">
      <section
        ref={scroller}
        className="prosa-scroller"
        aria-label={texts.conversation}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the conversation is scrolled by keyboard
        tabIndex={0}
      >
        <div ref={content} className="prosa-column">
          {opening && <Skeleton />}
          {isEmpty && <Greeting hint={hint} />}
          {hasOlder && (
            <div ref={mark} className="prosa-older">
              {olderFailed ? notice : <span className="prosa-muted">{texts.loadingOlder}</span>}
            </div>
          )}
          <Busy.Provider value={run !== null}>
            <ol ref={list} className="prosa-messages">
              {spoken.map((message, index) => (
                <MessageRow
                  key={keyOf(message)}
                  message={message}
                  run={run?.messageId === message.id ? run : null}
                  hasFailed={error?.at === 'run' && index === spoken.length - 1}
                  actions={rows}
                />
              ))}
            </ol>
          </Busy.Provider>
          {!olderFailed && notice}
        </div>
      </section>
      {!atEnd && (
        <button type="button" className="prosa-latest" aria-label={texts.latestLabel} onClick={toEnd}>
          <Icon name="latest" />
          {texts.latest}
        </button>
      )}
    </div>
  );
}

function Greeting({ hint }: Pick<MessageListProps, 'hint'>) {
  const texts = useTexts();
  return (
    <div className="prosa-greeting">
      <h2>{texts.greeting}</h2>
      {hint && <p className="prosa-muted">{hint}</p>}
    </div>
  );
}

/** What could not be opened or sent cannot be waved away: there would be nothing left to stand on. */
function dismissal(error: Failure, onDismiss: () => void): (() => void) | undefined {
  return error.at === 'open' || error.at === 'send' ? undefined : onDismiss;
}

function keyOf(message: ShownMessage): string {
  return message.localId ?? message.id;
}

/** Instructions and the tools' own messages are part of the conversation, but not of the talk. */
function isSpoken({ role, kind }: ShownMessage): boolean {
  return role === 'user' || role === 'assistant' || kind === 'summary';
}
