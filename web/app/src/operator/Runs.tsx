/** The runs of everybody, the newest first, without what was said in them. */
import type { Page } from '@prosa/core';
import { usePages } from '@prosa/react';
import { useCallback, useState } from 'react';
import { addressOfOperator } from '../route.js';
import { milliseconds, moment, money, number } from './figures.js';
import type { ListedRun, RunStatus } from './forms.js';
import { Head } from './Head.js';
import { Listed } from './Listed.js';
import { Mark, type Tone } from './Mark.js';
import type { SectionProps } from './sections.js';
import { daysWanted, type Wanted, WantedForm } from './Wanted.js';

const TONES: Readonly<Record<RunStatus, Tone>> = {
  queued: 'quiet',
  in_progress: 'quiet',
  requires_action: 'quiet',
  completed: 'good',
  incomplete: 'warn',
  failed: 'bad',
  cancelling: 'quiet',
  cancelled: 'quiet',
  expired: 'warn',
};

const STATUSES = Object.keys(TONES) as readonly RunStatus[];

export function RunMark({ texts, status }: Pick<SectionProps, 'texts'> & { readonly status: RunStatus }) {
  return <Mark tone={TONES[status] ?? 'quiet'}>{texts.statuses[status] ?? status}</Mark>;
}

export function Runs({ texts, language, client }: SectionProps) {
  const [wanted, setWanted] = useState<Wanted>({});
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = { ...wanted, cursor, limit: 50 };
      return client.request<Page<ListedRun>>('api/admin/runs', { query, signal });
    },
    [client, wanted],
  );
  const pages = usePages<ListedRun>(
    read,
    useCallback(({ id }: ListedRun) => id, []),
  );
  return (
    <>
      <Head title={texts.sections.runs} />
      <WantedForm
        texts={texts}
        fields={[
          {
            name: 'status',
            label: texts.status,
            options: [['', texts.any], ...STATUSES.map(each => [each, texts.statuses[each]] as const)],
          },
          { name: 'userId', label: texts.user },
          { name: 'provider', label: texts.provider },
          { name: 'model', label: texts.model },
          ...daysWanted(texts),
        ]}
        onChange={setWanted}
        onRefresh={() => void pages.refresh()}
      />
      <Listed
        texts={texts}
        language={language}
        pages={pages}
        label={texts.sections.runs}
        keyOf={({ id }) => id}
        empty={texts.none}
        columns={[
          {
            name: texts.begun,
            tight: true,
            cell: ({ id, createdAt }) => (
              <a href={addressOfOperator('runs', id)}>{moment(createdAt, language)}</a>
            ),
          },
          { name: texts.status, cell: ({ status }) => <RunMark texts={texts} status={status} /> },
          { name: texts.user, cell: ({ userId }) => userId },
          { name: texts.model, cell: ({ provider, model }) => `${provider}/${model}` },
          { name: texts.firstToken, number: true, cell: each => milliseconds(each.firstTokenMs, language) },
          { name: texts.duration, number: true, cell: each => milliseconds(each.durationMs, language) },
          { name: texts.tokens, number: true, cell: each => number(each.totalTokens, language) },
          { name: texts.cost, number: true, cell: ({ cost }) => money(cost, language) },
        ]}
      />
    </>
  );
}
