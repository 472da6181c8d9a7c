/** Asks for what goes into a template's places, each with the field that its type needs. */
import type { Template, TemplateVariable } from '@prosa/core';
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useProsa } from '../context.js';
import { Icon } from '../Icon.js';

export interface TemplateFormProps {
  readonly template: Template;
  readonly onFilled: (text: string) => void;
  readonly onBack: () => void;
}

type Values = Readonly<Record<string, string | boolean>>;

export function TemplateForm({ template, onFilled, onBack }: TemplateFormProps) {
  const { client, texts } = useProsa();
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState<Values>(() => atFirst(template.variables));
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, textarea, select')?.focus();
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { text } = await client.fillTemplate(template.id, given(template.variables, values));
      onFilled(text);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    onBack();
  };
  return (
    <form ref={form} className="prosa-form" onSubmit={event => void submit(event)} onKeyDown={pressed}>
      <header>
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.goBack}
          title={texts.goBack}
          onClick={onBack}
        >
          <Icon name="left" />
        </button>
        <strong>{template.name}</strong>
      </header>
      <div className="prosa-form-fields">
        {template.variables.map(variable => (
          <Field
            key={variable.name}
            variable={variable}
            value={values[variable.name] ?? ''}
            onChange={value => setValues(before => ({ ...before, [variable.name]: value }))}
          />
        ))}
      </div>
      {problem !== null && <p role="alert">{problem}</p>}
      <footer>
        <button type="submit" className="prosa-button prosa-strong" disabled={isBusy}>
          {texts.insertTemplate}
        </button>
      </footer>
    </form>
  );
}

interface FieldProps {
  readonly variable: TemplateVariable;
  readonly value: string | boolean;
  readonly onChange: (value: string | boolean) => void;
}

function Field({ variable, value, onChange }: FieldProps) {
  const id = useId();
  const label = variable.label || variable.name;
  if (variable.type === 'boolean') {
    return (
      <label className="prosa-check">
        <input type="checkbox" checked={value === true} onChange={event => onChange(event.target.checked)} />
        {label}
      </label>
    );
  }
  return (
    <p>
      <label htmlFor={id}>
        {label}
        {variable.required && <span aria-hidden="true"> *</span>}
      </label>
      <Entry id={id} variable={variable} value={String(value)} onChange={onChange} />
    </p>
  );
}

interface EntryProps {
  readonly id: string;
  readonly variable: TemplateVariable;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Entry({ id, variable, value, onChange }: EntryProps) {
  const { type, required, choices } = variable;
  const changed = (event: { readonly target: { readonly value: string } }) => onChange(event.target.value);
  if (type === 'choice') {
    return (
      <select id={id} required={required} value={value} onChange={changed}>
        {!(required && value !== '') && <option value="" />}
        {choices.map(choice => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (type === 'multiline') {
    return <textarea id={id} rows={3} required={required} value={value} onChange={changed} />;
  }
  const kind = type === 'number' || type === 'date' ? type : 'text';
  return (
    <input
      id={id}
      type={kind}
      step={kind === 'number' ? 'any' : undefined}
      required={required}
      value={value}
      onChange={changed}
    />
  );
}

function atFirst(variables: readonly TemplateVariable[]): Values {
  return Object.fromEntries(
    variables.map(({ name, type, default: preset }) => [
      name,
      type === 'boolean' ? /^(?:true|yes|sim)$/i.test(preset ?? '') : (preset ?? ''),
    ]),
  );
}

/** What was left empty is not given, so that the template's own default holds. */
function given(variables: readonly TemplateVariable[], values: Values): Values {
  return Object.fromEntries(
    variables.flatMap(({ name }) => {
      const value = values[name] ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}
