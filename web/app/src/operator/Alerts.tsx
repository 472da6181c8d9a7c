/** What operators were told of by themselves: limits that come near, errors, slowness, keys that fail. */
import type { Page } from '@prosa/core';
import { usePages } from '@prosa/react';
import { useCallback } from 'react';
import { moment, number } from './figures.js';
import type { Alert } from './forms.js';
import { Head } from './Head.js';
import { Listed } from './Listed.js';
import type { SectionProps } from './sections.js';
import { filled } from './texts.js';

export function Alerts({ texts, language, client }: SectionProps) {
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      client.request<Page<Alert>>('api/admin/alerts', { query: { cursor, limit: 50 }, signal }),
    [client],
  );
  const pages = usePages<Alert>(
    read,
    useCallback(({ id }: Alert) => id, []),
  );
  return (
    <>
      <Head title={texts.sections.alerts}>
        <button type="button" className="prosa-button" onClick={() => void pages.refresh()}>
          {texts.refresh}
        </button>
      </Head>
      <Listed
        texts={texts}
        language={language}
        pages={pages}
        label={texts.sections.alerts}
        keyOf={({ id }) => id}
        empty={texts.none}
        columns={[
          { name: texts.at, cell: ({ at }) => moment(at, language), tight: true },
          {
            name: texts.kind,
            cell: ({ kind }) => texts.alerts[kind as keyof typeof texts.alerts] ?? kind,
            tight: true,
          },
          { name: texts.details, cell: ({ message }) => message },
          { name: texts.delivered, cell: alert => deliveryOf(texts, language, alert) },
          { name: texts.attempts, number: true, cell: ({ attempts }) => number(attempts, language) },
        ]}
      />
    </>
  );
}

function deliveryOf({ notYet, toNobody }: SectionProps['texts'], language: string, alert: Alert): string {
  if (alert.owed.length > 0) return filled(notYet, { names: alert.owed.join(', ') });
  return alert.deliveredAt === null ? toNobody : moment(alert.deliveredAt, language);
}
