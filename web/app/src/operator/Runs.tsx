/** The runs of everybody, the newest first, without what was said in them. */
import { usePages } from '@prosa/react';
import { useCallback, useState } from 'react';
import { More } from '../More.js';
import { addressOfOperator } from '../route.js';
import { Skeletons } from '../Skeletons.js';
import { appTexts } from '../texts.js';
import { milliseconds, moment, money, number } from './figures.js';
import type { ListedRun, RunStatus } from './forms.js';
import { Head } from './Head.js';
import { Mark, type Tone } from './Mark.js';
import { Failure } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';

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

interface Wanted {
  readonly status: string;
  readonly userId: string;
  readonly model: string;
}

export function Runs({ texts, language, client }: SectionProps) {
  const [wanted, setWanted] = useState<Wanted>({ status: '', userId: '', model: '' });
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const given = Object.entries(wanted).filter(([, value]) => value !== '');
      const query = { ...Object.fromEntries(given), cursor, limit: 50 };
      return client.request<{ items: ListedRun[]; nextCursor: string | null }>('api/admin/runs', {
        query,
        signal,
      });
    },
    [client, wanted],
  );
  const pages = usePages<ListedRun>(
    read,
    useCallback(({ id }: ListedRun) => id, []),
  );
  return (
    <>
      <Head title={texts.sections.runs}>
        <button type="button" className="prosa-button" onClick={() => void pages.refresh()}>
          {texts.refresh}
        </button>
      </Head>
      <WantedForm texts={texts} onChange={setWanted} />
      {pages.error && <Failure texts={texts} error={pages.error} onRetry={() => void pages.refresh()} />}
      {pages.loading ? (
        <Skeletons label={texts.loading} />
      ) : (
        !(pages.error && pages.items.length === 0) && (
          <Table
            label={texts.sections.runs}
            rows={pages.items}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              {
                name: texts.begun,
                cell: ({ id, createdAt }) => (
                  <a href={addressOfOperator('runs', id)}>{moment(createdAt, language)}</a>
                ),
              },
              { name: texts.status, cell: ({ status }) => <RunMark texts={texts} status={status} /> },
              { name: texts.user, cell: ({ userId }) => userId },
              { name: texts.model, cell: ({ provider, model }) => `${provider}/${model}` },
              {
                name: texts.firstToken,
                number: true,
                cell: each => milliseconds(each.firstTokenMs, language),
              },
              { name: texts.duration, number: true, cell: each => milliseconds(each.durationMs, language) },
              { name: texts.tokens, number: true, cell: each => number(each.totalTokens, language) },
              { name: texts.cost, number: true, cell: ({ cost }) => money(cost, language) },
            ]}
          />
        )
      )}
      {pages.hasMore && <More texts={appTexts(language)} pages={pages} />}
    </>
  );
}

function WantedForm({
  texts,
  onChange,
}: Pick<SectionProps, 'texts'> & { readonly onChange: (wanted: Wanted) => void }) {
  const take = (form: HTMLFormElement) => {
    const given = new FormData(form);
    const [status = '', userId = '', model = ''] = ['status', 'userId', 'model'].map(name =>
      String(given.get(name) ?? '').trim(),
    );
    onChange({ status, userId, model });
  };
  return (
    <form
      className="operator-filters"
      onSubmit={event => {
        event.preventDefault();
        take(event.currentTarget);
      }}
    >
      <label>
        {texts.status}
        <select
          name="status"
          className="app-field"
          onChange={event => event.currentTarget.form && take(event.currentTarget.form)}
        >
          <option value="">{texts.any}</option>
          {STATUSES.map(each => (
            <option key={each} value={each}>
              {texts.statuses[each]}
            </option>
          ))}
        </select>
      </label>
      {(['userId', 'model'] as const).map(name => (
        <label key={name}>
          {name === 'userId' ? texts.user : texts.model}
          <input
            name={name}
            type="text"
            className="app-field"
            autoComplete="off"
            onBlur={event => event.currentTarget.form && take(event.currentTarget.form)}
          />
        </label>
      ))}
    </form>
  );
}
