/** The keys with which programs call Prosa: whose they are, what they may, and taking them away. */
import { ConfirmDialog, CopyButton, Dialog } from '@prosa/react';
import { useCallback, useId, useState } from 'react';
import { FormDialog } from './FormDialog.js';
import { moment } from './figures.js';
import type { ApiKey } from './forms.js';
import { Head } from './Head.js';
import { Mark } from './Mark.js';
import { Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { filled } from './texts.js';
import { useAsked } from './useAsked.js';

const KEYS = 'api/admin/api-keys';

export function ApiKeys({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) => client.request<{ readonly items: readonly ApiKey[] }>(KEYS, { signal }),
    [client],
  );
  const asked = useAsked(ask);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const make = async (body: object) => {
    const { key } = await client.request<{ readonly key: string }>(KEYS, { method: 'POST', body });
    setMade(key);
    asked.refresh();
  };
  const revoke = async ({ id }: ApiKey) => {
    await client.request(`${KEYS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    asked.refresh();
  };
  const time = (at: string | null) => (at === null ? texts.never : moment(at, language));
  return (
    <section>
      <Head title={texts.apiKeys}>
        <button type="button" className="prosa-button prosa-strong" onClick={() => setMaking(true)}>
          {texts.makeApiKey}
        </button>
      </Head>
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.apiKeys}
            rows={items}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              { name: texts.label, cell: ({ name, hint }) => `${name} …${hint}` },
              { name: texts.user, cell: ({ userId }) => userId },
              { name: texts.scopesOf, cell: ({ scopes }) => scopes.join(' ') || '–' },
              { name: texts.lastUse, cell: ({ lastUsedAt }) => time(lastUsedAt) },
              { name: texts.expires, cell: ({ expiresAt }) => time(expiresAt) },
              {
                name: texts.revoke,
                bare: true,
                cell: key =>
                  key.revokedAt === null ? (
                    <button type="button" className="prosa-button" onClick={() => setDoomed(key)}>
                      {texts.revoke}
                    </button>
                  ) : (
                    <Mark tone="quiet">{texts.revoked}</Mark>
                  ),
              },
            ]}
          />
        )}
      </Shown>
      {isMaking && <MakeDialog texts={texts} onMake={make} onClose={() => setMaking(false)} />}
      {made !== null && !isMaking && <Made texts={texts} made={made} onClose={() => setMade(null)} />}
      {doomed && (
        <ConfirmDialog
          title={filled(texts.revokeQuestion, { name: doomed.name })}
          warning={texts.revokeWarning}
          name={texts.revoke}
          onConfirm={() => revoke(doomed)}
          onClose={() => setDoomed(null)}
        />
      )}
    </section>
  );
}

interface MakeDialogProps {
  readonly texts: SectionProps['texts'];
  readonly onMake: (body: object) => Promise<void>;
  readonly onClose: () => void;
}

const DAY_MS = 24 * 60 * 60 * 1000;

function MakeDialog({ texts, onMake, onClose }: MakeDialogProps) {
  const id = useId();
  const send = (given: FormData) => {
    const [name, userId, scopes, days] = ['name', 'userId', 'scopes', 'days'].map(field =>
      String(given.get(field) ?? '').trim(),
    );
    const expiresAt = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
    return onMake({ name, userId, scopes: scopes?.split(/[\s,]+/).filter(Boolean), expiresAt });
  };
  return (
    <FormDialog texts={texts} title={texts.apiKeys} name={texts.save} onSend={send} onClose={onClose}>
      <label htmlFor={`${id}-name`}>{texts.label}</label>
      <input
        id={`${id}-name`}
        name="name"
        type="text"
        className="app-field"
        required
        maxLength={200}
        autoComplete="off"
      />
      <label htmlFor={`${id}-user`}>{texts.user}</label>
      <input
        id={`${id}-user`}
        name="userId"
        type="text"
        className="app-field"
        required
        maxLength={255}
        autoComplete="off"
      />
      <label htmlFor={`${id}-scopes`}>{texts.scopesOf}</label>
      <input
        id={`${id}-scopes`}
        name="scopes"
        type="text"
        className="app-field"
        defaultValue="chat read"
        autoComplete="off"
        aria-describedby={`${id}-hint`}
      />
      <small id={`${id}-hint`}>{texts.scopesHint}</small>
      <label htmlFor={`${id}-days`}>{texts.days}</label>
      <input
        id={`${id}-days`}
        name="days"
        type="text"
        inputMode="numeric"
        pattern="[0-9]{1,5}"
        className="app-field"
        defaultValue="90"
        autoComplete="off"
      />
    </FormDialog>
  );
}

interface MadeProps {
  readonly texts: SectionProps['texts'];
  readonly made: string;
  readonly onClose: () => void;
}

function Made({ texts, made, onClose }: MadeProps) {
  return (
    <Dialog title={texts.apiKeys} bare={true} onClose={onClose}>
      <p>{texts.madeOnce}</p>
      <p className="operator-secret">
        <code>{made}</code>
        <CopyButton text={made} label={texts.copy} />
      </p>
      <div className="prosa-dialog-foot">
        <button type="button" className="prosa-button prosa-strong" onClick={onClose}>
          {texts.done}
        </button>
      </div>
    </Dialog>
  );
}
