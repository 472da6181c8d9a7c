/** What was spent: by day, by model, by user, by client. */
import { useCallback, useState } from 'react';
import { DownloadLink } from './DownloadLink.js';
import { money, number } from './figures.js';
import type { Spending, Usage } from './forms.js';
import { Head } from './Head.js';
import { Plot } from './plots/Plot.js';
import { Shown } from './Shown.js';
import { SpanPicker } from './SpanPicker.js';
import type { SectionProps } from './sections.js';
import { dayOf, daysOf, type Span, stretchOf } from './span.js';
import { Table } from './Table.js';
import { filled } from './texts.js';
import { useAsked } from './useAsked.js';

export function Cost({ texts, language, client }: SectionProps) {
  const [span, setSpan] = useState<Span>('month');
  const ask = useCallback(
    (signal: AbortSignal) => {
      const { since, until } = stretchOf(span, new Date());
      return client.request<Usage>('api/admin/usage', { query: { since, until }, signal });
    },
    [client, span],
  );
  const asked = useAsked(ask);
  return (
    <>
      <Head title={texts.sections.cost}>
        <SpanPicker texts={texts} span={span} onChange={setSpan} />
        <DownloadLink
          client={client}
          path="api/admin/usage"
          query={() => {
            const { since, until } = stretchOf(span, new Date());
            return { since, until, format: 'csv' };
          }}
          file="usage.csv"
          name={texts.csv}
        />
      </Head>
      <Shown texts={texts} asked={asked}>
        {usage => <Spent texts={texts} language={language} usage={usage} />}
      </Shown>
    </>
  );
}

type Words = Pick<SectionProps, 'texts' | 'language'>;

function Spent({ texts, language, usage }: Words & { readonly usage: Usage }) {
  const days = daysOf(usage.since, usage.until, usage.timezone);
  const spent = new Map(usage.days.map(({ day, costExact }) => [day.slice(0, 10), Number(costExact)]));
  const figures = [
    [texts.cost, money(usage.costExact, language), `${usage.costExact} USD`],
    [texts.tokens, number(usage.totalTokens, language), String(usage.totalTokens)],
    [texts.requests, number(usage.requests, language), String(usage.requests)],
  ];
  return (
    <>
      <dl className="operator-figures">
        {figures.map(([name, value, exact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={exact}>{value}</dd>
          </div>
        ))}
      </dl>
      {usage.unpriced > 0 && (
        <p className="operator-aside">
          {filled(texts.unpriced, { count: number(usage.unpriced, language) })}
        </p>
      )}
      {usage.estimated > 0 && (
        <p className="operator-aside">
          {filled(texts.estimated, { count: number(usage.estimated, language) })}
        </p>
      )}
      <Plot
        title={texts.costPlot}
        kind="columns"
        times={days.map(day => dayOf(day, language))}
        series={[{ name: texts.cost, tone: 'first', values: days.map(day => spent.get(day) ?? 0) }]}
        format={value => money(String(value), language)}
        texts={{ asTable: texts.asTable, time: texts.time, empty: texts.nothing }}
      />
      <div className="operator-tables">
        <Share
          texts={texts}
          language={language}
          title={texts.byModel}
          name={texts.model}
          rows={usage.models}
          nameOf={({ provider, model }) => `${provider}/${model}`}
        />
        <Share
          texts={texts}
          language={language}
          title={texts.byUser}
          name={texts.user}
          rows={usage.users}
          nameOf={({ userId, clientId }) => (clientId ? `${userId} · ${clientId}` : userId)}
        />
        <Share
          texts={texts}
          language={language}
          title={texts.byClient}
          name={texts.client}
          rows={usage.clients}
          nameOf={({ clientId }) => clientId || texts.noClient}
        />
      </div>
    </>
  );
}

interface ShareProps<T extends Spending> extends Words {
  readonly title: string;
  readonly name: string;
  readonly rows: readonly T[];
  readonly nameOf: (row: T) => string;
}

/** Who took how much of the whole, the dearest first. */
function Share<T extends Spending>({ texts, language, title, name, rows, nameOf }: ShareProps<T>) {
  const weightOf = ({ costExact }: Spending) => Number(costExact);
  const isFree = rows.every(row => weightOf(row) === 0);
  const most = Math.max(...rows.map(row => (isFree ? row.totalTokens : weightOf(row))), 0) || 1;
  return (
    <section className="operator-share">
      <h3>{title}</h3>
      <Table
        label={title}
        rows={rows}
        keyOf={nameOf}
        empty={texts.nothing}
        columns={[
          { name, cell: nameOf },
          {
            name: texts.share,
            cell: row => <Bar value={(isFree ? row.totalTokens : weightOf(row)) / most} />,
          },
          { name: texts.requests, number: true, cell: ({ requests }) => number(requests, language) },
          { name: texts.tokens, number: true, cell: ({ totalTokens }) => number(totalTokens, language) },
          {
            name: texts.cost,
            number: true,
            cell: ({ costExact }) => <span title={`${costExact} USD`}>{money(costExact, language)}</span>,
          },
        ]}
      />
    </section>
  );
}

/** `value` is from 0 to 1; what it shows stands beside it in figures. */
function Bar({ value }: { readonly value: number }) {
  return (
    <svg className="operator-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.max(value > 0 ? 1 : 0, value * 100)} height="8" />
    </svg>
  );
}
