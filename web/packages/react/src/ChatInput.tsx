/** The composer: grows to eight lines, sends on Enter, and turns its button into a stop while an answer is written. */
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';

export interface Draft {
  readonly content: string;
}

export interface ChatInputProps {
  readonly onSend: (message: string) => void;
  /** Nothing can be sent for now; what is typed stays. */
  readonly disabled?: boolean;
  readonly placeholder?: string | undefined;
  /** While an answer is being written the button stops it. */
  readonly onStop?: (() => void) | undefined;
  readonly stopping?: boolean;
  /** Each new draft is put into the composer, which then takes the focus. */
  readonly draft?: Draft | null;
  /** Takes the focus as it appears. */
  readonly autoFocus?: boolean;
  /** ArrowUp in an empty composer. */
  readonly onRecall?: (() => void) | undefined;
}

export function ChatInput(props: ChatInputProps) {
  const {
    onSend,
    disabled = false,
    placeholder,
    onStop,
    stopping = false,
    draft,
    onRecall,
    autoFocus = false,
  } = props;
  const texts = useTexts();
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  useGrowth(area, text);

  useEffect(() => {
    if (autoFocus) area.current?.focus();
  }, [autoFocus]);

  useEffect(() => {
    if (!draft) return;
    setText(draft.content);
    area.current?.focus();
  }, [draft]);

  const send = () => {
    if (disabled || text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, its keys are its own.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && onRecall) {
      event.preventDefault();
      onRecall();
    }
  };

  return (
    <form
      className="prosa-composer"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        placeholder={placeholder ?? texts.placeholder}
        aria-label={texts.messageLabel}
        enterKeyHint="send"
        onChange={event => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {onStop ? (
        <RoundButton
          name={stopping ? texts.stopping : texts.stop}
          icon="stop"
          off={stopping}
          onClick={onStop}
        />
      ) : (
        <RoundButton name={texts.send} icon="send" off={disabled || text.trim() === ''} onClick={send} />
      )}
    </form>
  );
}

interface RoundButtonProps {
  readonly name: string;
  readonly icon: 'send' | 'stop';
  readonly off: boolean;
  readonly onClick: () => void;
}

function RoundButton({ name, icon, off, onClick }: RoundButtonProps) {
  return (
    <button
      type="button"
      className="prosa-round"
      data-icon={icon}
      aria-label={name}
      title={name}
      disabled={off}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Browsers without `field-sizing` get the height of the text by measuring it; the stylesheet caps it. */
function useGrowth(area: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || globalThis.CSS?.supports?.('field-sizing', 'content')) return;
    element.style.height = 'auto';
    element.style.height = text === '' ? '' : `${element.scrollHeight}px`;
  }, [area, text]);
}
