/** The keys with which programs call Prosa: whose they are, what they may, and taking them away. */
import type { Page } from '@prosa/core';
import { ConfirmDialog, CopyButton, Dialog, usePages } from '@prosa/react';
import { useCallback, useId, useState } from 'react';
import { FormDialog } from './FormDialog.js';
import { moment } from './figures.js';
import type { ApiKey, MadeKey } from './forms.js';
import { Head } from './Head.js';
import { Listed } from './Listed.js';
import { Mark } from './Mark.js';
import type { SectionProps } from './sections.js';
import { filled, named } from './texts.js';

const KEYS = 'api/admin/api-keys';
const SCOPES = ['chat', 'read', 'embed', 'admin'] as const;

export function ApiKeys({ texts, language, client }: SectionProps) {
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      client.request<Page<ApiKey>>(KEYS, { query: { cursor, limit: 50 }, signal }),
    [client],
  );
  const pages = usePages<ApiKey>(
    read,
    useCallback(({ id }: ApiKey) => id, []),
  );
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const make = async (body: object) => {
    setMade(await client.request<MadeKey>(KEYS, { method: 'POST', body }));
    void pages.refresh();
  };
  const revoke = async ({ id }: ApiKey) => {
    await client.request(`${KEYS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
    void pages.refresh();
  };
  const time = (at: string | null) => (at === null ? texts.never : moment(at, language));
  return (
    <section>
      <Head title={texts.apiKeys}>
        <button type="button" className="prosa-button prosa-strong" onClick={() => setMaking(true)}>
          {texts.makeApiKey}
        </button>
      </Head>
      <Listed
        texts={texts}
        language={language}
        pages={pages}
        label={texts.apiKeys}
        keyOf={({ id }) => id}
        empty={texts.none}
        columns={[
          { name: texts.label, cell: ({ name, hint }) => `${name} …${hint}` },
          {
            name: texts.user,
            cell: ({ userId, clientId }) => (clientId ? `${userId} · ${clientId}` : userId),
          },
          { name: texts.scopesOf, cell: ({ scopes }) => scopes.join(' ') || '–' },
          { name: texts.lastUse, cell: ({ lastUsedAt }) => time(lastUsedAt) },
          { name: texts.expires, cell: ({ expiresAt }) => time(expiresAt) },
          {
            name: texts.revoke,
            bare: true,
            cell: key => <Ending texts={texts} apiKey={key} onRevoke={() => setDoomed(key)} />,
          },
        ]}
      />
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

interface EndingProps {
  readonly texts: SectionProps['texts'];
  readonly apiKey: ApiKey;
  readonly onRevoke: () => void;
}

function Ending({ texts, apiKey, onRevoke }: EndingProps) {
  const { name, revokedAt, expiresAt } = apiKey;
  if (revokedAt !== null) return <Mark tone="quiet">{texts.revoked}</Mark>;
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
    return <Mark tone="quiet">{texts.expired}</Mark>;
  }
  return (
    <button type="button" className="prosa-button" aria-label={`${texts.revoke}: ${name}`} onClick={onRevoke}>
      {texts.revoke}
    </button>
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
    const [name, userId, clientId, days] = ['name', 'userId', 'clientId', 'days'].map(field =>
      String(given.get(field) ?? '').trim(),
    );
    const expiresAt = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
    return onMake({ name, userId, clientId: clientId || null, scopes: given.getAll('scopes'), expiresAt });
  };
  return (
    <FormDialog
      texts={texts}
      title={named(texts.makeApiKey)}
      name={texts.save}
      onSend={send}
      onClose={onClose}
    >
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
      <label htmlFor={`${id}-client`}>{texts.clientIfAny}</label>
      <input
        id={`${id}-client`}
        name="clientId"
        type="text"
        className="app-field"
        maxLength={255}
        autoComplete="off"
      />
      <fieldset className="app-formats">
        <legend>{texts.scopesOf}</legend>
        {SCOPES.map(scope => (
          <label key={scope}>
            <input type="checkbox" name="scopes" value={scope} defaultChecked={scope === 'chat'} />
            <span>
              <strong>{scope}</strong> <small>{texts.apiScopes[scope]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <label htmlFor={`${id}-days`}>{texts.days}</label>
      <input
        id={`${id}-days`}
        name="days"
        type="text"
        inputMode="numeric"
        pattern="[1-9][0-9]{0,4}"
        className="app-field"
        defaultValue="90"
        autoComplete="off"
      />
    </FormDialog>
  );
}

interface MadeProps {
  readonly texts: SectionProps['texts'];
  readonly made: MadeKey;
  readonly onClose: () => void;
}

/** Escape does not close it: what it shows is never shown again. */
function Made({ texts, made, onClose }: MadeProps) {
  const secrets = [
    [texts.key, made.key],
    ['kid', made.kid],
    [texts.signingSecret, made.signingSecret],
  ] as const;
  return (
    <Dialog title={texts.apiKeys} bare={true} busy={true} onClose={onClose}>
      <p>{made.signingSecret ? texts.madeToSign : texts.madeOnce}</p>
      {secrets.map(
        ([name, value]) =>
          value && (
            <div key={name} className="operator-secret">
              <span>{name}</span>
              <code>{value}</code>
              <CopyButton text={value} label={`${texts.copy}: ${name}`} />
            </div>
          ),
      )}
      <div className="prosa-dialog-foot">
        <button type="button" className="prosa-button prosa-strong" onClick={onClose}>
          {texts.done}
        </button>
      </div>
    </Dialog>
  );
}
