/** Sets limits for a user, a client or everyone together. */
import { useId, useState } from 'react';
import { FormDialog } from './FormDialog.js';
import type { Allowance, Limit, Scope } from './forms.js';
import type { OperatorTexts } from './texts.js';
import { whoOf } from './who.js';

export interface LimitDialogProps {
  readonly texts: OperatorTexts;
  /** The limits that are changed; null for new ones. */
  readonly limit: Limit | null;
  readonly onSave: (body: Allowance & Pick<Limit, 'scope' | 'subject'>) => Promise<void>;
  readonly onClose: () => void;
}

const SCOPES: readonly Scope[] = ['user', 'client', 'everyone'];
const WHOLE = ['tokensPerDay', 'requestsPerMinute', 'runsAtOnce', 'sockets'] as const;

export function LimitDialog({ texts, limit, onSave, onClose }: LimitDialogProps) {
  const [scope, setScope] = useState<Scope>(limit?.scope ?? 'user');
  const id = useId();
  const save = (given: FormData) => {
    const text = (name: string) => String(given.get(name) ?? '').trim();
    const whole = Object.fromEntries(
      WHOLE.map(name => [name, text(name) === '' ? null : Number(text(name))]),
    ) as Record<(typeof WHOLE)[number], number | null>;
    return onSave({
      scope,
      subject: limit?.subject ?? (scope === 'everyone' ? '' : text('subject')),
      costPerMonth: text('costPerMonth') || null,
      ...whole,
    });
  };
  return (
    <FormDialog texts={texts} title={texts.limitsOf} name={texts.save} onSend={save} onClose={onClose}>
      {limit === null ? (
        <>
          <label htmlFor={`${id}-scope`}>{texts.scope}</label>
          <select
            id={`${id}-scope`}
            className="app-field"
            value={scope}
            onChange={event => setScope(event.target.value as Scope)}
          >
            {SCOPES.map(each => (
              <option key={each} value={each}>
                {texts.scopes[each]}
              </option>
            ))}
          </select>
          {scope !== 'everyone' && (
            <>
              <label htmlFor={`${id}-subject`}>{texts.subject}</label>
              <input
                id={`${id}-subject`}
                name="subject"
                type="text"
                className="app-field"
                maxLength={255}
                autoComplete="off"
                aria-describedby={`${id}-hint`}
              />
              <small id={`${id}-hint`}>{texts.subjectHint}</small>
            </>
          )}
        </>
      ) : (
        <p>{whoOf(texts, limit)}</p>
      )}
      {(['tokensPerDay', 'costPerMonth', 'requestsPerMinute', 'runsAtOnce', 'sockets'] as const).map(name => (
        <Amount key={name} id={`${id}-${name}`} name={name} texts={texts} value={limit?.[name] ?? null} />
      ))}
      <small>{texts.anyAmount}</small>
    </FormDialog>
  );
}

interface AmountProps {
  readonly texts: OperatorTexts;
  readonly id: string;
  readonly name: keyof Allowance;
  readonly value: number | string | null;
}

function Amount({ texts, id, name, value }: AmountProps) {
  const isMoney = name === 'costPerMonth';
  return (
    <>
      <label htmlFor={id}>{texts.amounts[name]}</label>
      <input
        id={id}
        name={name}
        type="text"
        inputMode={isMoney ? 'decimal' : 'numeric'}
        pattern={isMoney ? '[0-9]{1,7}([.][0-9]{1,12})?' : '[0-9]{1,15}'}
        placeholder="–"
        className="app-field"
        autoComplete="off"
        defaultValue={value ?? ''}
      />
    </>
  );
}
