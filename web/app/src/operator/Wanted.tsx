/** What is wanted of a long list: its filters, which are taken when a field is left, and a button that looks again. */
import { useId, useRef } from 'react';
import type { OperatorTexts } from './texts.js';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'date';
  /** Makes it a choice; the first one is that of nothing in particular. */
  readonly options?: readonly (readonly [value: string, label: string])[];
}

/** The fields that say something. */
export type Wanted = Readonly<Record<string, string>>;

export interface WantedFormProps {
  readonly texts: OperatorTexts;
  readonly fields: readonly Field[];
  readonly onChange: (wanted: Wanted) => void;
  readonly onRefresh: () => void;
}

export function WantedForm({ texts, fields, onChange, onRefresh }: WantedFormProps) {
  const id = useId();
  const last = useRef('{}');
  /** Says whether something else is wanted now. */
  const take = (form: HTMLFormElement | null): boolean => {
    if (!form) return false;
    const given = new FormData(form);
    const entries = fields.map(({ name }) => [name, String(given.get(name) ?? '').trim()] as const);
    const wanted = Object.fromEntries(entries.filter(([, value]) => value !== ''));
    const told = JSON.stringify(wanted);
    if (told === last.current) return false;
    last.current = told;
    onChange(wanted);
    return true;
  };
  return (
    <form
      className="operator-filters"
      onSubmit={event => {
        event.preventDefault();
        if (!take(event.currentTarget)) onRefresh();
      }}
    >
      {fields.map(({ name, label, type = 'text', options }) => (
        <label key={name} htmlFor={`${id}-${name}`}>
          {label}
          {options ? (
            <select
              id={`${id}-${name}`}
              name={name}
              className="app-field"
              onChange={event => take(event.currentTarget.form)}
            >
              {options.map(([value, shown]) => (
                <option key={value} value={value}>
                  {shown}
                </option>
              ))}
            </select>
          ) : (
            <input
              id={`${id}-${name}`}
              name={name}
              type={type}
              className="app-field"
              autoComplete="off"
              onBlur={event => take(event.currentTarget.form)}
            />
          )}
        </label>
      ))}
      <button type="submit" className="prosa-button">
        {texts.refresh}
      </button>
    </form>
  );
}

/** Days are those of the server's time zone, whole ones. */
export function daysWanted(texts: OperatorTexts): readonly Field[] {
  return [
    { name: 'since', label: texts.sinceDay, type: 'date' },
    { name: 'until', label: texts.untilDay, type: 'date' },
  ];
}
