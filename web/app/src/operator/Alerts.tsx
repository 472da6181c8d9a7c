/** What operators were told of by themselves: limits that come near, errors, slowness, keys that fail. */
import { useCallback } from 'react';
import { moment } from './figures.js';
import type { Alert } from './forms.js';
import { Head } from './Head.js';
import { Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { useAsked } from './useAsked.js';

export function Alerts({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) =>
      client.request<{ readonly items: readonly Alert[] }>('api/admin/alerts', { signal }),
    [client],
  );
  const asked = useAsked(ask, 30_000);
  return (
    <>
      <Head title={texts.sections.alerts} />
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.sections.alerts}
            rows={items}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              { name: texts.at, cell: ({ at }) => moment(at, language) },
              { name: texts.kind, cell: ({ kind }) => <code>{kind}</code> },
              { name: texts.scope, cell: ({ subject }) => subject || '–' },
              { name: texts.level, cell: ({ level }) => level ?? '–' },
              {
                name: texts.delivered,
                cell: ({ deliveredAt }) =>
                  deliveredAt === null ? texts.notYet : moment(deliveredAt, language),
              },
              { name: texts.attempts, number: true, cell: ({ attempts }) => attempts },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
