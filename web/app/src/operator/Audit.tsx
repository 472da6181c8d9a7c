/** Who did what to which id, in a chain in which nothing can be changed unseen. */
import type { Page } from '@prosa/core';
import { usePages } from '@prosa/react';
import { useCallback, useState } from 'react';
import { exactly, moment, money, number } from './figures.js';
import type { Deed, Verified } from './forms.js';
import { Head } from './Head.js';
import { Listed } from './Listed.js';
import type { SectionProps } from './sections.js';
import { filled } from './texts.js';
import { daysWanted, type Wanted, WantedForm } from './Wanted.js';

export function Audit({ texts, language, client }: SectionProps) {
  const [wanted, setWanted] = useState<Wanted>({});
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = { ...wanted, cursor, limit: 50 };
      return client.request<Page<Deed>>('api/admin/audit', { query, signal });
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
      <WantedForm
        texts={texts}
        fields={[
          { name: 'actor', label: texts.actor },
          { name: 'action', label: texts.action },
          ...daysWanted(texts),
        ]}
        onChange={setWanted}
        onRefresh={() => void pages.refresh()}
      />
      <Listed
        texts={texts}
        language={language}
        pages={pages}
        label={texts.sections.audit}
        keyOf={({ id }) => id}
        empty={texts.none}
        columns={[
          { name: texts.at, cell: ({ at }) => moment(at, language), tight: true },
          {
            name: texts.actor,
            cell: ({ actor, clientId }) => (clientId ? `${actor} · ${clientId}` : actor),
          },
          { name: texts.action, cell: ({ action }) => <code>{action}</code> },
          { name: texts.target, cell: ({ target }) => target.replace(/:$/, '') || '–' },
          { name: texts.details, cell: ({ details }) => told(details, language) },
        ]}
      />
    </>
  );
}

function told(details: Deed['details'], language: string): string {
  return (
    Object.entries(details)
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => `${name}: ${read(name, value, language)}`)
      .join(', ') || '–'
  );
}

/** The log has times in microseconds and money in picodollars. */
function read(name: string, value: unknown, language: string): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (name === 'since' || name === 'until') return moment(new Date(value / 1000).toISOString(), language);
  return name === 'cost_per_month' ? money(String(value / 1e12), language) : exactly(value, language);
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
