/** What went wrong: by code, provider and model, the most frequent first. */
import { useCallback, useState } from 'react';
import { moment, number } from './figures.js';
import type { Failure } from './forms.js';
import { Head } from './Head.js';
import { Shown } from './Shown.js';
import { SpanPicker } from './SpanPicker.js';
import type { SectionProps } from './sections.js';
import { type Span, stretchOf } from './span.js';
import { Table } from './Table.js';
import { useAsked } from './useAsked.js';

export function Errors({ texts, language, client }: SectionProps) {
  const [span, setSpan] = useState<Span>('week');
  const ask = useCallback(
    (signal: AbortSignal) => {
      const { since, until } = stretchOf(span, new Date());
      const query = { since, until };
      return client.request<{ readonly items: readonly Failure[] }>('api/admin/errors', { query, signal });
    },
    [client, span],
  );
  const asked = useAsked(ask, 300_000);
  return (
    <>
      <Head title={texts.sections.errors}>
        <SpanPicker texts={texts} span={span} onChange={setSpan} />
      </Head>
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.sections.errors}
            rows={[...items].sort((one, other) => other.count - one.count)}
            keyOf={({ code, provider, model }) => `${code} ${provider} ${model}`}
            empty={texts.nothing}
            columns={[
              { name: texts.code, cell: ({ code }) => <code>{code}</code> },
              { name: texts.provider, cell: ({ provider }) => provider ?? '–' },
              { name: texts.model, cell: ({ model }) => model ?? '–' },
              { name: texts.count, number: true, cell: ({ count }) => number(count, language) },
              { name: texts.last, cell: ({ lastAt }) => moment(lastAt, language) },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
