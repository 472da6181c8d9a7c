/** One run: how it stands, and what it did and waited for, drawn over its time. */
import { useCallback, useEffect, useState } from 'react';
import { addressOfOperator } from '../route.js';
import { milliseconds, moment, money, number } from './figures.js';
import type { Moment, RunInFull } from './forms.js';
import { Head } from './Head.js';
import { RunMark } from './Runs.js';
import { Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { filled } from './texts.js';
import { useAsked } from './useAsked.js';

/** How often a run is looked at that has not ended; each look is a row of the audit log. */
const LOOK_MS = 10_000;

export function Run({ texts, language, client, id }: SectionProps & { readonly id: string }) {
  const ask = useCallback(
    (signal: AbortSignal) =>
      client.request<RunInFull>(`api/admin/runs/${encodeURIComponent(id)}`, { signal }),
    [client, id],
  );
  const [isOver, setOver] = useState(false);
  const asked = useAsked(ask, isOver ? undefined : LOOK_MS);
  const ended = Boolean(asked.value?.endedAt);
  useEffect(() => setOver(ended), [ended]);
  return (
    <>
      <Head title={filled(texts.runOf, { id: `…${id.slice(-8)}` })}>
        <a className="prosa-button" href={addressOfOperator('runs')}>
          {texts.allRuns}
        </a>
        <button type="button" className="prosa-button" onClick={asked.refresh}>
          {texts.refresh}
        </button>
      </Head>
      <Shown texts={texts} asked={asked}>
        {run => (
          <>
            <Facts texts={texts} language={language} run={run} />
            {run.endedAt === null && <p className="operator-aside">{texts.goesOn}</p>}
            <Timeline texts={texts} language={language} run={run} />
          </>
        )}
      </Shown>
    </>
  );
}

type RunProps = Pick<SectionProps, 'texts' | 'language'> & { readonly run: RunInFull };

function Facts({ texts, language, run }: RunProps) {
  const facts: readonly (readonly [string, string | null])[] = [
    [texts.user, run.clientId ? `${run.userId} · ${run.clientId}` : run.userId],
    [texts.model, `${run.provider}/${run.model}`],
    [texts.route, run.route],
    [texts.reason, run.errorCode ?? run.reason],
    [texts.begun, moment(run.createdAt, language)],
    [texts.firstToken, milliseconds(run.firstTokenMs, language)],
    [texts.duration, milliseconds(run.durationMs, language)],
    [texts.tokens, number(run.totalTokens, language)],
    [texts.cost, money(run.cost, language)],
    [texts.conversation, run.conversationId],
  ];
  return (
    <dl className="operator-facts">
      <div>
        <dt>{texts.status}</dt>
        <dd>
          <RunMark texts={texts} status={run.status} />
        </dd>
      </div>
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

interface Drawn extends Moment {
  /** Tells its row apart. */
  readonly row: string;
  readonly start: number;
  readonly end: number;
}

/** The moments of a run with their places in its time, in ms from its beginning. */
export function drawn({ timeline, createdAt, endedAt }: RunInFull): {
  readonly moments: readonly Drawn[];
  readonly whole: number;
} {
  const begin = Date.parse(createdAt);
  const ends = timeline.map(({ at, endAt }) => Date.parse(endAt ?? at));
  const end = Math.max(endedAt === null ? 0 : Date.parse(endedAt), begin + 1, ...ends);
  const moments = timeline.map((each, index) => ({
    ...each,
    row: `${index} ${each.kind}`,
    start: Math.max(0, Date.parse(each.at) - begin),
    end: Math.max(0, Date.parse(each.endAt ?? each.at) - begin),
  }));
  return { moments, whole: end - begin };
}

function Timeline({ texts, language, run }: RunProps) {
  const { moments, whole } = drawn(run);
  const kindOf = ({ kind }: Moment) => texts.kinds[kind as keyof typeof texts.kinds] ?? kind;
  return (
    <section className="operator-timeline">
      <h3>{texts.timeline}</h3>
      <Table
        label={texts.timeline}
        rows={moments}
        keyOf={({ row }) => row}
        empty={texts.none}
        columns={[
          { name: texts.what, cell: kindOf, tight: true },
          {
            name: texts.timeline,
            cell: each => (
              <svg
                className="operator-gantt"
                viewBox="0 0 1000 10"
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                <rect
                  data-kind={each.kind}
                  data-bad={isBad(each)}
                  x={Math.min(994, (each.start / whole) * 1000)}
                  width={Math.max(6, ((each.end - each.start) / whole) * 1000)}
                  height="10"
                />
              </svg>
            ),
          },
          { name: texts.from, number: true, cell: ({ start }) => milliseconds(start, language) },
          {
            name: texts.took,
            number: true,
            cell: ({ start, end }) => (end > start ? milliseconds(end - start, language) : '–'),
          },
          {
            name: texts.tokens,
            number: true,
            cell: ({ tokens }) => (tokens ? number(tokens, language) : '–'),
          },
          { name: texts.details, cell: each => detailsOf(texts, each) },
        ]}
      />
    </section>
  );
}

/** What was stopped or cut has a code too, and is not bad. */
function isBad({ status }: Moment): boolean {
  return status === 'failed' || status === 'expired' || status === 'denied';
}

function detailsOf(texts: SectionProps['texts'], { kind, provider, model, key, name, status, code }: Moment) {
  const where = [provider, model].filter(Boolean).join('/');
  const words: Readonly<Record<string, string>> =
    kind === 'flag' ? texts.sides : { ...texts.statuses, ...texts.stepStatuses };
  const told = status && (words[status] ?? status);
  return [where, key && `…${key}`, name, told, code].filter(Boolean).join(' · ') || '–';
}
