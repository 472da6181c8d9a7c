/** Who is shut out, and letting them in again. */
import { useCallback, useId, useState } from 'react';
import { FormDialog } from './FormDialog.js';
import { moment } from './figures.js';
import type { Suspension } from './forms.js';
import { Head } from './Head.js';
import { Failure, Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { named } from './texts.js';
import { useAsked } from './useAsked.js';

const PATH = 'api/admin/suspensions';

export function Suspensions({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) => client.request<{ readonly items: readonly Suspension[] }>(PATH, { signal }),
    [client],
  );
  const asked = useAsked(ask);
  const [isSuspending, setSuspending] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const id = useId();
  const whom = ({ userId, clientId }: Suspension) =>
    userId ? `${texts.user} ${userId}` : `${texts.client} ${clientId}`;
  const lift = async ({ userId, clientId }: Suspension) => {
    setProblem(null);
    try {
      const query = userId ? { userId } : { clientId: clientId ?? '' };
      await client.request(PATH, { method: 'DELETE', query });
    } catch (error) {
      setProblem(error as Error);
    }
    asked.refresh();
  };
  const suspend = async (given: FormData) => {
    const [who, subject, reason, only] = ['who', 'subject', 'reason', 'only'].map(name =>
      String(given.get(name) ?? '').trim(),
    );
    const body = { [who ?? 'userId']: subject, reason, only: only || null };
    await client.request(PATH, { method: 'POST', body });
    asked.refresh();
  };
  return (
    <>
      <Head title={texts.sections.people}>
        <button type="button" className="prosa-button prosa-strong" onClick={() => setSuspending(true)}>
          {texts.suspend}
        </button>
      </Head>
      {problem && <Failure texts={texts} error={problem} onRetry={asked.refresh} />}
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.sections.people}
            rows={items}
            keyOf={({ userId, clientId, only }) => `${userId} ${clientId} ${only}`}
            empty={texts.nobody}
            columns={[
              {
                name: texts.scope,
                cell: whom,
              },
              { name: texts.shutOutOf, cell: ({ only }) => texts.parts[only ?? 'all'] },
              { name: texts.reason, cell: ({ reason }) => reason || '–' },
              { name: texts.at, cell: ({ createdAt }) => moment(createdAt, language) },
              { name: texts.by, cell: ({ createdBy }) => createdBy || '–' },
              {
                name: texts.lift,
                bare: true,
                cell: suspension => (
                  <button
                    type="button"
                    className="prosa-button"
                    aria-label={`${texts.lift}: ${whom(suspension)}`}
                    onClick={() => void lift(suspension)}
                  >
                    {texts.lift}
                  </button>
                ),
              },
            ]}
          />
        )}
      </Shown>
      {isSuspending && (
        <FormDialog
          texts={texts}
          title={named(texts.suspend)}
          name={named(texts.suspend)}
          onSend={suspend}
          onClose={() => setSuspending(false)}
        >
          <label htmlFor={`${id}-who`}>{texts.scope}</label>
          <select id={`${id}-who`} name="who" className="app-field">
            <option value="userId">{texts.user}</option>
            <option value="clientId">{texts.client}</option>
          </select>
          <label htmlFor={`${id}-subject`}>{texts.subject}</label>
          <input
            id={`${id}-subject`}
            name="subject"
            type="text"
            className="app-field"
            required
            maxLength={255}
            autoComplete="off"
          />
          <label htmlFor={`${id}-only`}>{texts.shutOutOf}</label>
          <select id={`${id}-only`} name="only" className="app-field">
            <option value="">{texts.parts.all}</option>
            <option value="admin">{texts.parts.admin}</option>
          </select>
          <label htmlFor={`${id}-reason`}>{texts.reason}</label>
          <input
            id={`${id}-reason`}
            name="reason"
            type="text"
            className="app-field"
            maxLength={500}
            autoComplete="off"
          />
          <small>{texts.suspendHint}</small>
        </FormDialog>
      )}
    </>
  );
}
