/** What one user has spent, holds and has left, by each limit that counts for him. */
import { useId, useState } from 'react';
import { exactly, moment, money, number } from './figures.js';
import type { ScopeStanding, Standing } from './forms.js';
import { Failure } from './Shown.js';
import type { SectionProps } from './sections.js';
import { type Column, Table } from './Table.js';
import { filled } from './texts.js';
import { whoOf } from './who.js';

type Found = { readonly standing: Standing } | { readonly error: Error };

export function Standings({ texts, language, client }: SectionProps) {
  const id = useId();
  const [found, setFound] = useState<Found | null>(null);
  const [isBusy, setBusy] = useState(false);
  const look = async (form: HTMLFormElement) => {
    const given = new FormData(form);
    const [userId, clientId] = ['userId', 'clientId'].map(name => String(given.get(name) ?? '').trim());
    setBusy(true);
    try {
      const query = { userId, clientId: clientId || undefined };
      setFound({ standing: await client.request<Standing>('api/admin/limits/standing', { query }) });
    } catch (error) {
      setFound({ error: error as Error });
    }
    setBusy(false);
  };
  return (
    <section className="operator-standing" aria-labelledby={id}>
      <h3 id={id}>{texts.standing}</h3>
      <form
        className="operator-filters"
        onSubmit={event => {
          event.preventDefault();
          void look(event.currentTarget);
        }}
      >
        <label>
          {texts.user}
          <input
            name="userId"
            type="text"
            className="app-field"
            required
            maxLength={255}
            autoComplete="off"
          />
        </label>
        <label>
          {texts.clientIfAny}
          <input name="clientId" type="text" className="app-field" maxLength={255} autoComplete="off" />
        </label>
        <button type="submit" className="prosa-button" disabled={isBusy}>
          {texts.show}
        </button>
      </form>
      <div role="status">
        {found !== null && 'standing' in found && (
          <Told texts={texts} language={language} standing={found.standing} />
        )}
      </div>
      {found !== null && 'error' in found && (
        <Failure texts={texts} error={found.error} onRetry={() => setFound(null)} />
      )}
    </section>
  );
}

type ToldProps = Pick<SectionProps, 'texts' | 'language'> & { readonly standing: Standing };

function Told({ texts, language, standing }: ToldProps) {
  const { limits } = standing;
  const rest = (['requestsPerMinute', 'sockets'] as const).map(
    name =>
      `${texts.amounts[name]}: ${limits[name] === null ? texts.unlimited : exactly(limits[name], language)}`,
  );
  return (
    <>
      {standing.scopes.length === 0 ? (
        <p>{filled(texts.free, { user: standing.userId })}</p>
      ) : (
        <Table
          label={texts.standing}
          rows={standing.scopes}
          keyOf={({ scope }) => scope}
          empty={texts.none}
          columns={columns(texts, language)}
        />
      )}
      <p className="operator-aside">
        {[
          ...rest,
          filled(texts.resets, {
            day: moment(standing.tokensResetAt, language),
            month: moment(standing.costsResetAt, language),
          }),
        ].join(' · ')}
      </p>
    </>
  );
}

function columns(texts: SectionProps['texts'], language: string): readonly Column<ScopeStanding>[] {
  const tokens = (value: number | null) => (value === null ? texts.unlimited : exactly(value, language));
  const cost = (value: string | null) => (value === null ? texts.unlimited : money(value, language));
  return [
    { name: texts.scope, cell: each => whoOf(texts, each) },
    { name: texts.tokensToday, number: true, cell: each => tokens(each.spentTokens) },
    { name: texts.tokensHeld, number: true, cell: each => tokens(each.heldTokens) },
    { name: texts.tokensLeft, number: true, cell: each => tokens(each.leftTokens) },
    { name: texts.costThisMonth, number: true, cell: each => cost(each.spentCost) },
    { name: texts.costHeld, number: true, cell: each => cost(each.heldCost) },
    { name: texts.costLeft, number: true, cell: each => cost(each.leftCost) },
    {
      name: texts.runsNow,
      number: true,
      cell: ({ runs, limits }) =>
        limits.runsAtOnce === null
          ? number(runs, language)
          : `${number(runs, language)} / ${number(limits.runsAtOnce, language)}`,
    },
  ];
}
