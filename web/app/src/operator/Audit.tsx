/** Who did what to which id, in a chain in which nothing can be changed unseen. */
import { usePages } from '@prosa/react';
import { useCallback, useState } from 'react';
import { More } from '../More.js';
import { Skeletons } from '../Skeletons.js';
import { appTexts } from '../texts.js';
import { moment, number } from './figures.js';
import type { Deed, Verified } from './forms.js';
import { Head } from './Head.js';
import { Failure } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { filled } from './texts.js';

export function Audit({ texts, language, client }: SectionProps) {
  const [wanted, setWanted] = useState({ actor: '', action: '' });
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const given = Object.entries(wanted).filter(([, value]) => value !== '');
      const query = { ...Object.fromEntries(given), cursor, limit: 50 };
      return client.request<{ items: Deed[]; nextCursor: string | null }>('api/admin/audit', {
        query,
        signal,
      });
    },
    [client, wanted],
  );
  const pages = usePages<Deed>(
    read,
    useCallback(({ id }: Deed) => id, []),
  );
  return (
    <>
      <Head title={texts.sections.audit}>
        <Verify texts={texts} language={language} client={client} />
      </Head>
      <form
        className="operator-filters"
        onSubmit={event => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          setWanted({
            actor: String(given.get('actor') ?? '').trim(),
            action: String(given.get('action') ?? '').trim(),
          });
        }}
      >
        {(['actor', 'action'] as const).map(name => (
          <label key={name}>
            {texts[name]}
            <input name={name} type="text" className="app-field" autoComplete="off" />
          </label>
        ))}
        <button type="submit" className="prosa-button">
          {texts.refresh}
        </button>
      </form>
      {pages.error && <Failure texts={texts} error={pages.error} onRetry={() => void pages.refresh()} />}
      {pages.loading ? (
        <Skeletons label={texts.loading} />
      ) : (
        !(pages.error && pages.items.length === 0) && (
          <Table
            label={texts.sections.audit}
            rows={pages.items}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              { name: texts.at, cell: ({ at }) => moment(at, language) },
              { name: texts.actor, cell: ({ actor }) => actor },
              { name: texts.action, cell: ({ action }) => <code>{action}</code> },
              { name: texts.target, cell: ({ target }) => target || '–' },
              { name: texts.details, cell: ({ details }) => told(details) },
            ]}
          />
        )
      )}
      {pages.hasMore && <More texts={appTexts(language)} pages={pages} />}
    </>
  );
}

function told(details: Deed['details']): string {
  return (
    Object.entries(details)
      .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ') || '–'
  );
}

function Verify({ texts, language, client }: SectionProps) {
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ readonly text: string; readonly isBad: boolean } | null>(null);
  const verify = async () => {
    setBusy(true);
    try {
      const { intact, rows, brokenAt } = await client.request<Verified>('api/admin/audit/verify');
      const text = intact
        ? filled(texts.intact, { count: number(rows, language) })
        : filled(texts.broken, { at: brokenAt ?? '?' });
      setSaid({ text, isBad: !intact });
    } catch (error) {
      setSaid({ text: error instanceof Error ? error.message : String(error), isBad: true });
    }
    setBusy(false);
  };
  return (
    <>
      <span role={said?.isBad ? 'alert' : 'status'} className="operator-verified" data-bad={said?.isBad}>
        {said?.text}
      </span>
      <button type="button" className="prosa-button" disabled={isBusy} onClick={() => void verify()}>
        {isBusy ? texts.verifying : texts.verify}
      </button>
    </>
  );
}
