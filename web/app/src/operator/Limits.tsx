/** What users, clients and everyone together may take; the strictest that fits somebody holds. */
import { ConfirmDialog } from '@prosa/react';
import { useCallback, useState } from 'react';
import { exactly, money } from './figures.js';
import type { Limit } from './forms.js';
import { Head } from './Head.js';
import { LimitDialog } from './LimitDialog.js';
import { Shown } from './Shown.js';
import { Standings } from './Standings.js';
import type { SectionProps } from './sections.js';
import { type Column, Table } from './Table.js';
import { filled, type OperatorTexts } from './texts.js';
import { useAsked } from './useAsked.js';
import { whoOf } from './who.js';

/** The limits that are edited; null for new ones. */
type Edited = { readonly limit: Limit | null };

export function Limits({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) =>
      client.request<{ readonly items: readonly Limit[] }>('api/admin/limits', { signal }),
    [client],
  );
  const asked = useAsked(ask);
  const [changes, setChanges] = useState(0);
  const changed = () => {
    setChanges(before => before + 1);
    asked.refresh();
  };
  const [edited, setEdited] = useState<Edited | null>(null);
  const [doomed, setDoomed] = useState<Limit | null>(null);
  const remove = async ({ scope, subject }: Limit) => {
    await client.request('api/admin/limits', { method: 'DELETE', query: { scope, subject } });
    changed();
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
      <p className="operator-aside">{texts.stricter}</p>
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
              { name: texts.source, cell: ({ source }) => texts.sources[source], tight: true },
              {
                name: texts.edit,
                bare: true,
                cell: limit =>
                  limit.source === 'table' && (
                    <span className="operator-actions">
                      <button
                        type="button"
                        className="prosa-button"
                        aria-label={`${texts.edit}: ${whoOf(texts, limit)}`}
                        onClick={() => setEdited({ limit })}
                      >
                        {texts.edit}
                      </button>
                      <button
                        type="button"
                        className="prosa-button"
                        aria-label={`${texts.remove}: ${whoOf(texts, limit)}`}
                        onClick={() => setDoomed(limit)}
                      >
                        {texts.remove}
                      </button>
                    </span>
                  ),
              },
            ]}
          />
        )}
      </Shown>
      {/* How somebody stood before the limits were changed is not shown any longer. */}
      <Standings key={changes} texts={texts} language={language} client={client} />
      {edited && (
        <LimitDialog
          texts={texts}
          limit={edited.limit}
          onSave={async body => {
            await client.request('api/admin/limits', { method: 'PUT', body });
            changed();
          }}
          onClose={() => setEdited(null)}
        />
      )}
      {doomed && (
        <ConfirmDialog
          title={filled(texts.removeLimit, { who: whoOf(texts, doomed) })}
          warning={texts.removeLimitWarning}
          name={texts.remove}
          onConfirm={() => remove(doomed)}
          onClose={() => setDoomed(null)}
        />
      )}
    </>
  );
}

function amounts(texts: OperatorTexts, language: string): readonly Column<Limit>[] {
  const told = (value: number | null) => (value === null ? '–' : exactly(value, language));
  return [
    { name: texts.amounts.tokensPerDay, number: true, cell: ({ tokensPerDay }) => told(tokensPerDay) },
    {
      name: texts.amounts.costPerMonth,
      number: true,
      cell: ({ costPerMonth }) => money(costPerMonth, language),
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
