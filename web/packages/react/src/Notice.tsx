/** An error where it happened, in words for people, with a way on. */
import type { Failure } from '@prosa/core';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';
import type { Texts } from './texts.js';

export interface NoticeProps {
  readonly failure: Failure;
  readonly onRetry: () => void;
  readonly onDismiss?: (() => void) | undefined;
  readonly onStartOver?: (() => void) | undefined;
  /** Takes a refused question back into the composer. */
  readonly onEdit?: (() => void) | undefined;
}

export function Notice({ failure, onRetry, onDismiss, onStartOver, onEdit }: NoticeProps) {
  const texts = useTexts();
  return (
    <div className="prosa-notice" role="alert">
      <Icon name="warning" />
      <p>{sentenceOf(failure, texts)}</p>
      {failure.retryable && (
        <button type="button" className="prosa-button" onClick={onRetry}>
          {texts.retry}
        </button>
      )}
      {onEdit && (
        <button type="button" className="prosa-button" onClick={onEdit}>
          {texts.editQuestion}
        </button>
      )}
      {onStartOver && (
        <button type="button" className="prosa-button" onClick={onStartOver}>
          {texts.startOver}
        </button>
      )}
      {onDismiss && (
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.dismiss}
          title={texts.dismiss}
          onClick={onDismiss}
        >
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}

/** The server's sentences are in the reader's language; what it can't know is said here. */
function sentenceOf({ code, message }: Failure, texts: Texts): string {
  if (code === 'network') return texts.network;
  if (code === 'deleted_elsewhere') return texts.deletedElsewhere;
  return code === 'run_not_waiting' ? texts.notWaiting : message;
}
