/** Chooses a template: a field to look for it, the list, and a form where it has places to be filled. */
import type { Template } from '@prosa/core';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTexts } from '../context.js';
import { Icon } from '../Icon.js';
import { fill } from '../texts.js';
import { useElsewhere } from '../useElsewhere.js';
import { TemplateForm } from './TemplateForm.js';
import { useTemplates } from './useTemplates.js';

export interface TemplatePickerProps {
  /** Takes the filled text. */
  readonly onInsert: (text: string) => void;
  readonly onManage: () => void;
  /** Closed without a choice; `isBack` where the reader goes back to the message. */
  readonly onClose: (isBack: boolean) => void;
}

export function TemplatePicker({ onInsert, onManage, onClose }: TemplatePickerProps) {
  const texts = useTexts();
  const box = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<Template | null>(null);
  useElsewhere(box, true, () => onClose(false));
  const choose = (template: Template) => {
    if (template.variables.length > 0) setChosen(template);
    else onInsert(template.content);
  };
  return (
    <div ref={box} className="prosa-picker prosa-templates" role="dialog" aria-label={texts.templates}>
      {chosen ? (
        <TemplateForm template={chosen} onFilled={onInsert} onBack={() => setChosen(null)} />
      ) : (
        <Choice onChoose={choose} onManage={onManage} onClose={() => onClose(true)} />
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly onChoose: (template: Template) => void;
  readonly onManage: () => void;
  readonly onClose: () => void;
}

function Choice({ onChoose, onManage, onClose }: ChoiceProps) {
  const texts = useTexts();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const { templates, error, refresh } = useTemplates();
  const found = (templates ?? []).filter(template => isMeant(template, typed));
  const here = found[Math.min(at, found.length - 1)];
  useEffect(() => field.current?.focus(), []);

  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt(Math.max(0, Math.min(found.length - 1, at + step)));
    else if (event.key === 'Enter' && here) onChoose(here);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-label={texts.findTemplate}
        placeholder={texts.findTemplate}
        aria-expanded={true}
        aria-autocomplete="list"
        aria-controls={id}
        aria-activedescendant={here ? `${id}-${here.id}` : undefined}
        value={typed}
        onChange={event => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={pressed}
      />
      <Found id={id} found={found} active={here} onChoose={onChoose} />
      <Remark templates={templates} error={error} typed={typed} found={found.length} onRetry={refresh} />
      <footer>
        <button type="button" className="prosa-button" onClick={onManage}>
          <Icon name="edit" />
          {texts.manageTemplates}
        </button>
      </footer>
    </>
  );
}

interface FoundProps {
  readonly id: string;
  readonly found: readonly Template[];
  readonly active: Template | undefined;
  readonly onChoose: (template: Template) => void;
}

function Found({ id, found, active, onChoose }: FoundProps) {
  const texts = useTexts();
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the option to be seen is another one then
  useEffect(() => {
    list.current?.querySelector('[data-active="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div ref={list} id={id} className="prosa-options" role="listbox" aria-label={texts.templates}>
      {found.map(template => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the field that has the focus
        // biome-ignore lint/a11y/useFocusableInteractive: the field names the active option
        <div
          key={template.id}
          id={`${id}-${template.id}`}
          role="option"
          className="prosa-option prosa-template"
          aria-selected={template === active}
          data-active={template === active}
          onClick={() => onChoose(template)}
        >
          <span>{template.name}</span>
          {template.shared && <small>{texts.shared}</small>}
          <p>{template.description || template.content}</p>
        </div>
      ))}
    </div>
  );
}

interface RemarkProps {
  readonly templates: readonly Template[] | null;
  readonly error: Error | null;
  readonly typed: string;
  readonly found: number;
  readonly onRetry: () => void;
}

/** What stands where there is nothing to choose, and why. */
function Remark({ templates, error, typed, found, onRetry }: RemarkProps) {
  const texts = useTexts();
  if (found > 0) return null;
  if (templates === null && error) {
    return (
      <p className="prosa-templates-remark" role="alert">
        {texts.templatesFailed}{' '}
        <button type="button" className="prosa-button" onClick={onRetry}>
          {texts.retry}
        </button>
      </p>
    );
  }
  const text =
    templates === null
      ? texts.loadingTemplates
      : templates.length === 0
        ? texts.noTemplates
        : fill(texts.noTemplate, { name: typed });
  return (
    <p className="prosa-templates-remark prosa-muted" role="status">
      {text}
    </p>
  );
}

/** Whether every word that was typed is in the template's name or description. */
function isMeant({ name, description }: Template, typed: string): boolean {
  const words = `${name} ${description ?? ''}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every(word => words.includes(word));
}
