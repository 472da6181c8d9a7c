/** Narrows the list of conversations, or the messages that are looked through. */
import { useModels } from '@prosa/react';
import { useId } from 'react';
import { countOf, type Filters, NO_FILTERS, type Period } from './filters.js';
import type { AppTexts } from './texts.js';

export interface FilterFormProps {
  readonly texts: AppTexts;
  readonly filters: Filters;
  readonly clients: readonly string[];
  /** While messages are looked for, only their time counts. */
  readonly isSearching: boolean;
  readonly onChange: (filters: Filters) => void;
}

export function FilterForm({ texts, filters, clients, isSearching, onChange }: FilterFormProps) {
  const { models } = useModels();
  const set = (change: Partial<Filters>) => onChange({ ...filters, ...change });
  const named = (models ?? []).filter(model => model.kind === 'model');
  return (
    <fieldset className="app-filters">
      <legend className="prosa-hidden">{texts.filters}</legend>
      {!isSearching && (
        <>
          <Choice
            label={texts.kept}
            value={filters.kept}
            options={{ listed: texts.keptListed, archived: texts.keptArchived, all: texts.keptAll }}
            onChange={kept => set({ kept })}
          />
          <Choice
            label={texts.status}
            value={filters.status}
            options={{ any: texts.any, open: texts.statusOpen, closed: texts.statusClosed }}
            onChange={status => set({ status })}
          />
        </>
      )}
      <Choice<Period>
        label={texts.period}
        value={filters.period}
        options={{
          any: texts.periodAny,
          today: texts.today,
          week: texts.week,
          month: texts.month,
          dates: texts.periodDates,
        }}
        onChange={period => set({ period })}
      />
      {filters.period === 'dates' && (
        <div className="app-filter-dates">
          <Day label={texts.from} value={filters.from} max={filters.to} onChange={from => set({ from })} />
          <Day label={texts.to} value={filters.to} min={filters.from} onChange={to => set({ to })} />
        </div>
      )}
      {!isSearching && named.length > 1 && (
        <Choice
          label={texts.model}
          value={filters.model}
          options={Object.fromEntries([
            ['', texts.any],
            ...named.map(({ id, name, model }) => [id, name ?? model]),
          ])}
          onChange={model => set({ model })}
        />
      )}
      {!isSearching && clients.length > 0 && (
        <Choice
          label={texts.client}
          value={filters.clientId}
          options={Object.fromEntries([['', texts.any], ...clients.map(client => [client, client])])}
          onChange={clientId => set({ clientId })}
        />
      )}
      {countOf(filters) > 0 && (
        <button type="button" className="prosa-button" onClick={() => onChange(NO_FILTERS)}>
          {texts.noFilters}
        </button>
      )}
    </fieldset>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: Readonly<Record<T, string>>;
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="app-filter">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={event => onChange(event.target.value as T)}>
        {Object.entries<string>(options).map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

interface DayProps {
  readonly label: string;
  readonly value: string;
  readonly min?: string;
  readonly max?: string;
  readonly onChange: (day: string) => void;
}

function Day({ label, value, min, max, onChange }: DayProps) {
  const id = useId();
  return (
    <div className="app-filter">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="date"
        value={value}
        min={min || undefined}
        max={max || undefined}
        onChange={event => onChange(event.target.value)}
      />
    </div>
  );
}
