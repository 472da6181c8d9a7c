/** The composer: grows to eight lines, sends on Enter, and turns its button into a stop while an answer is written. */
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';

export interface Draft {
  readonly content: string;
  /** Where it goes: in place of what is there, or at the cursor. */
  readonly at?: 'all' | 'cursor';
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
  /** A slash in an empty composer. */
  readonly onSlash?: (() => void) | undefined;
  /** Files that were pasted. */
  readonly onFiles?: ((files: Iterable<File>) => void) | undefined;
  /** There is something to be sent besides the text. */
  readonly laden?: boolean;
  /** Stands above the text, such as what is to be sent with it. */
  readonly above?: ReactNode;
  /** Stands below the text, beside the button. */
  readonly tools?: ReactNode;
}

export function ChatInput(props: ChatInputProps) {
  const { onSend, disabled = false, placeholder, laden = false, above, tools } = props;
  const texts = useTexts();
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useText(area, props);
  const isEmpty = text.trim() === '' && !laden;

  const send = () => {
    if (disabled || isEmpty) return;
    onSend(text.trim());
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a character, its keys are its own.
    if (event.nativeEvent.isComposing) return;
    const action = actionOf(event, text, send, props);
    if (!action) return;
    event.preventDefault();
    action();
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = Array.from(event.clipboardData.files);
    if (files.length === 0 || !props.onFiles) return;
    event.preventDefault();
    props.onFiles(files);
  };
  const button = <Button {...props} off={disabled || isEmpty} onSend={send} />;
  return (
    <form
      className="prosa-composer"
      data-tools={tools !== undefined}
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      {above}
      <div className="prosa-composer-text">
        <textarea
          ref={area}
          rows={1}
          value={text}
          placeholder={placeholder ?? texts.placeholder}
          aria-label={texts.messageLabel}
          enterKeyHint="send"
          onChange={event => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {tools === undefined && button}
      </div>
      {tools !== undefined && (
        <div className="prosa-composer-tools">
          {tools}
          {button}
        </div>
      )}
    </form>
  );
}

/** What a key does besides writing. */
function actionOf(
  { key, shiftKey }: KeyboardEvent,
  text: string,
  send: () => void,
  { onRecall, onSlash }: ChatInputProps,
): (() => void) | undefined {
  if (key === 'Enter') return shiftKey ? undefined : send;
  if (text !== '') return undefined;
  if (key === 'ArrowUp') return onRecall;
  return key === '/' ? onSlash : undefined;
}

/** The text, which drafts from elsewhere are put into. */
function useText(area: RefObject<HTMLTextAreaElement | null>, { draft, autoFocus }: ChatInputProps) {
  const [text, setText] = useState('');
  const cursor = useRef<number | null>(null);
  useGrowth(area, text);
  useEffect(() => {
    if (autoFocus) area.current?.focus();
  }, [area, autoFocus]);
  useEffect(() => {
    const element = area.current;
    if (!(draft && element)) return;
    const { value, selectionStart, selectionEnd } = element;
    const isWhole = draft.at !== 'cursor';
    const before = isWhole ? '' : value.slice(0, selectionStart);
    setText(before + draft.content + (isWhole ? '' : value.slice(selectionEnd)));
    cursor.current = before.length + draft.content.length;
    element.focus();
  }, [area, draft]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the cursor is set once the text is there
  useLayoutEffect(() => {
    if (cursor.current === null) return;
    area.current?.setSelectionRange(cursor.current, cursor.current);
    cursor.current = null;
  }, [area, text]);
  return [text, setText] as const;
}

interface ButtonProps extends Pick<ChatInputProps, 'onStop' | 'stopping'> {
  readonly off: boolean;
  readonly onSend: () => void;
}

function Button({ onStop, stopping = false, off, onSend }: ButtonProps) {
  const texts = useTexts();
  const name = onStop ? (stopping ? texts.stopping : texts.stop) : texts.send;
  return (
    <button
      type="button"
      className="prosa-round"
      data-icon={onStop ? 'stop' : 'send'}
      aria-label={name}
      title={name}
      disabled={onStop ? stopping : off}
      onClick={onStop ?? onSend}
    >
      <Icon name={onStop ? 'stop' : 'send'} />
    </button>
  );
}

/** Browsers without `field-sizing` get the height of the text by measuring it; the stylesheet caps it. */
function useGrowth(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || globalThis.CSS?.supports?.('field-sizing', 'content')) return;
    element.style.height = 'auto';
    element.style.height = text === '' ? '' : `${element.scrollHeight}px`;
  }, [area, text]);
}
