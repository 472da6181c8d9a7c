/** A template being written: its text, and for each place in it what may stand there. */
import { placesOf, type Template, type TemplateVariable, type VariableType } from '@prosa/core';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useTexts } from '../context.js';
import { fill } from '../texts.js';
import type { UseTemplates } from './useTemplates.js';

export interface TemplateEditorProps {
  /** Null for a new one. */
  readonly template: Template | null;
  readonly list: UseTemplates;
  readonly onDone: () => void;
}

type Known = Readonly<Record<string, TemplateVariable>>;

export function TemplateEditor({ template, list, onDone }: TemplateEditorProps) {
  const texts = useTexts();
  const id = useId();
  const first = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(template?.name ?? '');
  const [description, setDescription] = useState(template?.description ?? '');
  const [content, setContent] = useState(template?.content ?? '');
  const [shared, setShared] = useState(template?.shared ?? false);
  const [known, setKnown] = useState<Known>(() => byName(template?.variables ?? []));
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => first.current?.focus(), []);
  const variables = placesOf(content).map(place => known[place] ?? newVariable(place));

  const save = async (event: FormEvent) => {
    event.preventDefault();
    const given = { name, description: description.trim() || null, content, variables };
    try {
      if (template) await list.updateTemplate(template.id, given);
      else await list.createTemplate({ ...given, shared });
      onDone();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const place = '{{name}}';
  return (
    <form className="prosa-form" onSubmit={event => void save(event)}>
      <div className="prosa-form-fields">
        <p>
          <label htmlFor={`${id}-name`}>{texts.templateName}</label>
          <input
            ref={first}
            id={`${id}-name`}
            required={true}
            maxLength={200}
            value={name}
            onChange={event => setName(event.target.value)}
          />
        </p>
        <p>
          <label htmlFor={`${id}-description`}>{texts.templateDescription}</label>
          <input
            id={`${id}-description`}
            maxLength={1000}
            value={description}
            onChange={event => setDescription(event.target.value)}
          />
        </p>
        <p>
          <label htmlFor={`${id}-content`}>{texts.templateContent}</label>
          <textarea
            id={`${id}-content`}
            rows={6}
            required={true}
            aria-describedby={`${id}-how`}
            value={content}
            onChange={event => setContent(event.target.value)}
          />
          <small id={`${id}-how`}>{fill(texts.placesHow, { place })}</small>
        </p>
        {variables.map(variable => (
          <VariableFields
            key={variable.name}
            variable={variable}
            onChange={changed => setKnown(before => ({ ...before, [changed.name]: changed }))}
          />
        ))}
        <label className="prosa-check">
          <input
            type="checkbox"
            checked={shared}
            // Whether it is shared is settled when it is made.
            disabled={template !== null}
            onChange={event => setShared(event.target.checked)}
          />
          {texts.shareTemplate}
        </label>
      </div>
      {problem !== null && <p role="alert">{problem}</p>}
      <footer>
        <button type="button" className="prosa-button" onClick={onDone}>
          {texts.cancel}
        </button>
        <button type="submit" className="prosa-button prosa-strong">
          {texts.save}
        </button>
      </footer>
    </form>
  );
}

interface VariableFieldsProps {
  readonly variable: TemplateVariable;
  readonly onChange: (variable: TemplateVariable) => void;
}

const TYPES: readonly VariableType[] = ['text', 'multiline', 'number', 'boolean', 'choice', 'date'];

function VariableFields({ variable, onChange }: VariableFieldsProps) {
  const texts = useTexts();
  const id = useId();
  const { name, label, type, required, choices } = variable;
  return (
    <fieldset className="prosa-variable">
      <legend>
        <code>{name}</code>
      </legend>
      <p>
        <label htmlFor={`${id}-label`}>{texts.variableLabel}</label>
        <input
          id={`${id}-label`}
          value={label ?? ''}
          placeholder={name}
          onChange={event => onChange({ ...variable, label: event.target.value || null })}
        />
      </p>
      <p>
        <label htmlFor={`${id}-type`}>{texts.variableType}</label>
        <select
          id={`${id}-type`}
          value={type}
          onChange={event => onChange(ofType(variable, event.target.value as VariableType))}
        >
          {TYPES.map(each => (
            <option key={each} value={each}>
              {texts[`type_${each}`]}
            </option>
          ))}
        </select>
      </p>
      {type === 'choice' && (
        <p>
          <label htmlFor={`${id}-choices`}>{texts.variableChoices}</label>
          <textarea
            id={`${id}-choices`}
            rows={3}
            required={true}
            value={choices.join('\n')}
            onChange={event => onChange({ ...variable, choices: linesOf(event.target.value) })}
          />
        </p>
      )}
      <label className="prosa-check">
        <input
          type="checkbox"
          checked={required}
          onChange={event => onChange({ ...variable, required: event.target.checked })}
        />
        {texts.variableRequired}
      </label>
    </fieldset>
  );
}

/** What was preset for one type may be nonsense for another. */
function ofType(variable: TemplateVariable, type: VariableType): TemplateVariable {
  return { ...variable, type, choices: type === 'choice' ? variable.choices : [], default: null };
}

/** Empty lines stay while they are written, and are dropped with the next letter elsewhere. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.filter((line, at) => line !== '' || at === lines.length - 1);
}

function byName(variables: readonly TemplateVariable[]): Known {
  return Object.fromEntries(variables.map(variable => [variable.name, variable]));
}

function newVariable(name: string): TemplateVariable {
  return { name, label: null, type: 'text', required: true, default: null, choices: [] };
}
