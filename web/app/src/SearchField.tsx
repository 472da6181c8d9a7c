/** Where one types what is looked for; Ctrl+K or ⌘K leads here from anywhere. */
import type { KeyboardEvent, RefObject } from 'react';
import { Glyph } from './Glyph.js';
import type { AppTexts } from './texts.js';

export interface SearchFieldProps {
  readonly texts: AppTexts;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Down from here is the list. */
  readonly onDown: () => void;
}

export function SearchField({ texts, field, value, onChange, onDown }: SearchFieldProps) {
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') onDown();
    else if (event.key === 'Escape' && value !== '') onChange('');
    else return;
    event.preventDefault();
  };
  const clear = () => {
    onChange('');
    field.current?.focus();
  };
  return (
    <search className="app-search">
      <Glyph name="search" />
      <input
        ref={field}
        type="text"
        inputMode="search"
        autoComplete="off"
        spellCheck={false}
        aria-label={texts.search}
        placeholder={texts.searchHint}
        aria-keyshortcuts="Control+K Meta+K"
        maxLength={200}
        value={value}
        onChange={event => onChange(event.target.value)}
        onKeyDown={pressed}
      />
      {value === '' ? (
        <span className="app-key" aria-hidden="true">
          {IS_APPLE ? '⌘K' : 'Ctrl K'}
        </span>
      ) : (
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.clearSearch}
          title={texts.clearSearch}
          onClick={clear}
        >
          <Glyph name="close" />
        </button>
      )}
    </search>
  );
}

const IS_APPLE = /Mac|iPhone|iPad/.test(globalThis.navigator?.userAgent ?? '');
