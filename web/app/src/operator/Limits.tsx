/** What users, clients and everyone together may take; the strictest that fits somebody holds. */
import { ConfirmDialog } from '@prosa/react';
import { useCallback, useState } from 'react';
import { money, number } from './figures.js';
import type { Limit } from './forms.js';
import { Head } from './Head.js';
import { LimitDialog } from './LimitDialog.js';
import { Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { type Column, Table } from './Table.js';
import type { OperatorTexts } from './texts.js';
import { useAsked } from './useAsked.js';

/** The limits that are edited; null for new ones. */
type Edited = { readonly limit: Limit | null };

export function Limits({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) =>
      client.request<{ readonly items: readonly Limit[] }>('api/admin/limits', { signal }),
    [client],
  );
  const asked = useAsked(ask);
  const [edited, setEdited] = useState<Edited | null>(null);
  const [doomed, setDoomed] = useState<Limit | null>(null);
  const remove = async ({ scope, subject }: Limit) => {
    await client.request('api/admin/limits', { method: 'DELETE', query: { scope, subject } });
    asked.refresh();
  };
  return (
    <>
      <Head title={texts.sections.limits}>
        <button
          type="button"
          className="prosa-button prosa-strong"
          onClick={() => setEdited({ limit: null })}
        >
          {texts.addLimit}
        </button>
      </Head>
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.limitsOf}
            rows={items}
            keyOf={({ scope, subject, source }) => `${scope} ${subject} ${source}`}
            empty={texts.none}
            columns={[
              { name: texts.scope, cell: limit => whoOf(texts, limit) },
              ...amounts(texts, language),
              { name: texts.source, cell: ({ source }) => texts.sources[source] },
              {
                name: texts.edit,
                bare: true,
                cell: limit => (
                  <span className="operator-actions">
                    <button type="button" className="prosa-button" onClick={() => setEdited({ limit })}>
                      {texts.edit}
                    </button>
                    {limit.source === 'table' && (
                      <button type="button" className="prosa-button" onClick={() => setDoomed(limit)}>
                        {texts.remove}
                      </button>
                    )}
                  </span>
                ),
              },
            ]}
          />
        )}
      </Shown>
      {edited && (
        <LimitDialog
          texts={texts}
          limit={edited.limit}
          onSave={async body => {
            await client.request('api/admin/limits', { method: 'PUT', body });
            asked.refresh();
          }}
          onClose={() => setEdited(null)}
        />
      )}
      {doomed && (
        <ConfirmDialog
          title={texts.removeLimit}
          warning={texts.removeLimitWarning}
          name={texts.remove}
          onConfirm={() => remove(doomed)}
          onClose={() => setDoomed(null)}
        />
      )}
    </>
  );
}

export function whoOf(texts: OperatorTexts, { scope, subject }: Pick<Limit, 'scope' | 'subject'>): string {
  if (scope === 'everyone') return texts.scopes.everyone;
  if (subject !== '') return `${texts.scopes[scope]} ${subject}`;
  return scope === 'user' ? texts.everyUser : texts.everyClient;
}

function amounts(texts: OperatorTexts, language: string): readonly Column<Limit>[] {
  const told = (value: number | null) => (value === null ? texts.unlimited : number(value, language));
  return [
    { name: texts.amounts.tokensPerDay, number: true, cell: ({ tokensPerDay }) => told(tokensPerDay) },
    {
      name: texts.amounts.costPerMonth,
      number: true,
      cell: ({ costPerMonth }) => (costPerMonth === null ? texts.unlimited : money(costPerMonth, language)),
    },
    {
      name: texts.amounts.requestsPerMinute,
      number: true,
      cell: ({ requestsPerMinute }) => told(requestsPerMinute),
    },
    { name: texts.amounts.runsAtOnce, number: true, cell: ({ runsAtOnce }) => told(runsAtOnce) },
    { name: texts.amounts.sockets, number: true, cell: ({ sockets }) => told(sockets) },
  ];
}
