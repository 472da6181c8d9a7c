/** Chooses the model that answers: a button that says which one does, and a list to search in. */
import type { Model } from '@prosa/core';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';
import { ModelList } from './ModelList.js';
import { isMeant, nameOf } from './modelNames.js';
import { fill } from './texts.js';
import { useElsewhere } from './useElsewhere.js';

export interface ModelPickerProps {
  readonly models: readonly Model[];
  /** The id of the model that answers now. */
  readonly value: string | null;
  readonly onChoose: (id: string) => void;
  readonly disabled?: boolean;
}

export function ModelPicker({ models, value, onChoose, disabled = false }: ModelPickerProps) {
  const texts = useTexts();
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  useElsewhere(box, isOpen, () => setOpen(false));
  const current = models.find(({ id }) => id === value);
  const name = current ? nameOf(current) : (value ?? texts.modelByDefault);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div ref={box} className="prosa-models">
      <button
        ref={button}
        type="button"
        className="prosa-models-button"
        aria-label={fill(texts.modelOf, { name })}
        title={value ?? undefined}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        disabled={disabled}
        onClick={() => setOpen(!isOpen)}
      >
        <span>{name}</span>
        <Icon name="open" />
      </button>
      {isOpen && (
        <Choice
          models={models}
          value={value}
          onChoose={id => {
            onChoose(id);
            close();
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly models: readonly Model[];
  readonly value: string | null;
  readonly onChoose: (id: string) => void;
  readonly onClose: () => void;
}

function Choice({ models, value, onChoose, onClose }: ChoiceProps) {
  const texts = useTexts();
  const listId = useId();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(value);
  const found = models.filter(model => isMeant(model, typed));
  const at = Math.max(
    0,
    found.findIndex(({ id }) => id === active),
  );
  const here = found[at];
  useEffect(() => field.current?.focus(), []);

  const choose = (model: Model | undefined) => {
    if (model?.available) onChoose(model.id);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const to = STEPS[event.key]?.(at, found.length);
    if (to !== undefined) setActive(found[Math.min(found.length - 1, Math.max(0, to))]?.id ?? null);
    else if (event.key === 'Enter') choose(here);
    else if (event.key === 'Escape' || event.key === 'Tab') onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div className="prosa-picker prosa-models-box" role="dialog" aria-label={texts.model}>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-label={texts.findModel}
        placeholder={texts.findModel}
        aria-expanded={true}
        aria-autocomplete="list"
        aria-controls={listId}
        aria-activedescendant={here ? `${listId}-${at}` : undefined}
        value={typed}
        onChange={event => setTyped(event.target.value)}
        onKeyDown={pressed}
      />
      <ModelList id={listId} models={found} value={value} active={at} onChoose={choose} />
    </div>
  );
}

/** Where each key leads in a list. */
const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: at => at + 1,
  ArrowUp: at => at - 1,
  PageDown: at => at + 8,
  PageUp: at => at - 8,
};
