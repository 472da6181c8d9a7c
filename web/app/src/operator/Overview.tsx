/** How the server is doing: how many runs, how they ended, how long they took, what they cost. */
import { useCallback, useState } from 'react';
import { milliseconds, money, number, percent } from './figures.js';
import type { Bucket } from './forms.js';
import { Head } from './Head.js';
import { Plot, type Series } from './plots/Plot.js';
import { Shown } from './Shown.js';
import { SpanPicker } from './SpanPicker.js';
import type { SectionProps } from './sections.js';
import { type Span, type Stretch, stretchOf, tickOf } from './span.js';
import { middle, sumOf } from './sums.js';
import { useAsked } from './useAsked.js';

// Each look is a row of the audit log.
const LOOK_MS = 60_000;

interface Traffic {
  readonly items: readonly Bucket[];
  readonly step: Stretch['step'];
}

export function Overview({ texts, language, client }: SectionProps) {
  const [span, setSpan] = useState<Span>('day');
  const ask = useCallback(
    async (signal: AbortSignal): Promise<Traffic> => {
      const query = stretchOf(span, new Date());
      const { items } = await client.request<Traffic>('api/admin/traffic', { query, signal });
      return { items, step: query.step };
    },
    [client, span],
  );
  const asked = useAsked(ask, LOOK_MS);
  return (
    <>
      <Head title={texts.sections.overview}>
        <SpanPicker texts={texts} span={span} onChange={setSpan} />
      </Head>
      <Shown texts={texts} asked={asked}>
        {traffic => (
          <>
            <Figures texts={texts} language={language} items={traffic.items} />
            <Plots texts={texts} language={language} {...traffic} />
          </>
        )}
      </Shown>
    </>
  );
}

type Words = Pick<SectionProps, 'texts' | 'language'>;

function Figures({ texts, language, items }: Words & { readonly items: readonly Bucket[] }) {
  const runs = sumOf(items, ({ runs: each }) => each);
  const completed = sumOf(items, ({ completed: each }) => each);
  const failed = sumOf(items, ({ failed: each }) => each);
  const ended = runs - sumOf(items, ({ running }) => running);
  const tokens = sumOf(items, each => each.promptTokens + each.completionTokens);
  const cost = sumOf(items, each => Number(each.cost));
  const figures = [
    [texts.runs, number(runs, language)],
    [texts.successful, percent(completed, ended, language)],
    [texts.failureShare, percent(failed, ended, language)],
    [
      texts.firstTokenMedian,
      milliseconds(
        middle(items.map(each => ({ value: each.firstTokenMs?.p50 ?? null, weight: each.runs }))),
        language,
      ),
    ],
    [texts.tokens, number(tokens, language)],
    [texts.cost, money(String(cost), language)],
  ];
  return (
    <dl className="operator-figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Plots({ texts, language, items, step }: Words & Traffic) {
  const times = items.map(each => tickOf(each, step, language));
  const common = { times, texts: { asTable: texts.asTable, time: texts.time, empty: texts.nothing } };
  const count = (value: number) => number(value, language);
  const time = (value: number) => milliseconds(value, language);
  return (
    <div className="operator-plots">
      <Plot
        {...common}
        title={texts.runsPlot}
        kind="columns"
        format={count}
        series={(['completed', 'running', 'cancelled', 'incomplete', 'expired', 'failed'] as const).map(
          status => ({
            name: status === 'running' ? texts.running : texts.statuses[status],
            tone: status,
            values: items.map(each => each[status]),
          }),
        )}
      />
      <Plot
        {...common}
        title={texts.firstTokenPlot}
        kind="lines"
        format={time}
        series={latency(texts, items, ({ firstTokenMs }) => firstTokenMs)}
      />
      <Plot
        {...common}
        title={texts.durationPlot}
        kind="lines"
        format={time}
        series={latency(texts, items, ({ durationMs }) => durationMs)}
      />
      <Plot
        {...common}
        title={texts.tokensPlot}
        kind="columns"
        format={count}
        series={[
          { name: texts.prompt, tone: 'first', values: items.map(each => each.promptTokens) },
          { name: texts.completion, tone: 'second', values: items.map(each => each.completionTokens) },
        ]}
      />
    </div>
  );
}

function latency(
  texts: SectionProps['texts'],
  items: readonly Bucket[],
  of: (bucket: Bucket) => Bucket['durationMs'],
): readonly Series[] {
  return [
    { name: texts.median, tone: 'first', values: items.map(each => of(each)?.p50 ?? null) },
    { name: texts.slowest, tone: 'second', values: items.map(each => of(each)?.p95 ?? null) },
  ];
}
