/** The keys of providers: what each is used for, putting a new one in its place, taking one away. */
import { ConfirmDialog } from '@prosa/react';
import { useCallback, useId, useState } from 'react';
import { FormDialog } from './FormDialog.js';
import { moment, money, number } from './figures.js';
import type { ProviderKey } from './forms.js';
import { Head } from './Head.js';
import { Mark, type Tone } from './Mark.js';
import { Shown } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table } from './Table.js';
import { filled, named } from './texts.js';
import { useAsked } from './useAsked.js';

const TONES: Readonly<Record<ProviderKey['state'], Tone>> = {
  active: 'good',
  set_aside: 'bad',
  retired: 'quiet',
};

type Doing =
  | { readonly what: 'add' }
  | { readonly what: 'rotate' | 'retire'; readonly key: ProviderKey }
  | null;

export function ProviderKeys({ texts, language, client }: SectionProps) {
  const ask = useCallback(
    (signal: AbortSignal) =>
      client.request<{ readonly items: readonly ProviderKey[] }>('api/admin/keys', { signal }),
    [client],
  );
  const asked = useAsked(ask);
  const [doing, setDoing] = useState<Doing>(null);
  const [said, setSaid] = useState<string | null>(null);
  const close = () => setDoing(null);
  const act = async (path: string, method: 'POST' | 'DELETE', body?: object) => {
    await client.request(`api/admin/keys${path}`, { method, body });
    asked.refresh();
  };
  const rotateMaster = async () => {
    try {
      const path = 'api/admin/master/rotate';
      const { resealed } = await client.request<{ readonly resealed: number }>(path, { method: 'POST' });
      setSaid(filled(texts.resealed, { count: number(resealed, language) }));
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <section>
      <Head title={texts.providerKeys}>
        <button type="button" className="prosa-button" onClick={() => void rotateMaster()}>
          {texts.rotateMaster}
        </button>
        <button type="button" className="prosa-button prosa-strong" onClick={() => setDoing({ what: 'add' })}>
          {texts.addKey}
        </button>
      </Head>
      <p role="status" className="operator-aside">
        {said}
      </p>
      <Shown texts={texts} asked={asked}>
        {({ items }) => (
          <Table
            label={texts.providerKeys}
            rows={items}
            keyOf={({ id }) => id}
            empty={texts.none}
            columns={[
              { name: texts.provider, cell: ({ provider }) => provider },
              { name: texts.label, cell: nameOf },
              { name: texts.weight, number: true, cell: ({ weight }) => weight },
              {
                name: texts.state,
                cell: ({ state, reason }) => (
                  <>
                    <Mark tone={TONES[state]}>{texts.states[state]}</Mark> {reason && <code>{reason}</code>}
                  </>
                ),
              },
              {
                name: texts.use,
                number: true,
                cell: ({ use }) => `${number(use.requests, language)} · ${money(use.cost, language)}`,
              },
              {
                name: texts.lastUse,
                cell: ({ lastUsedAt }) => (lastUsedAt === null ? texts.never : moment(lastUsedAt, language)),
              },
              {
                name: texts.edit,
                bare: true,
                cell: key =>
                  key.state !== 'retired' && (
                    <span className="operator-actions">
                      {(['rotate', 'retire'] as const).map(what => (
                        <button
                          key={what}
                          type="button"
                          className="prosa-button"
                          aria-label={`${texts[what]}: ${key.provider} ${nameOf(key)}`}
                          onClick={() => setDoing({ what, key })}
                        >
                          {texts[what]}
                        </button>
                      ))}
                    </span>
                  ),
              },
            ]}
          />
        )}
      </Shown>
      {doing?.what === 'add' && (
        <AddDialog texts={texts} onAdd={body => act('', 'POST', body)} onClose={close} />
      )}
      {doing?.what === 'rotate' && (
        <RotateDialog
          texts={texts}
          named={nameOf(doing.key)}
          onRotate={key => act(`/${doing.key.id}/rotate`, 'POST', { key })}
          onClose={close}
        />
      )}
      {doing?.what === 'retire' && (
        <ConfirmDialog
          title={filled(texts.retireQuestion, { name: nameOf(doing.key) })}
          warning={texts.retireWarning}
          name={texts.retire}
          onConfirm={() => act(`/${doing.key.id}`, 'DELETE')}
          onClose={close}
        />
      )}
    </section>
  );
}

function nameOf({ label, hint }: ProviderKey): string {
  return [label, hint && `…${hint}`].filter(Boolean).join(' ') || '–';
}

interface AddDialogProps {
  readonly texts: SectionProps['texts'];
  readonly onAdd: (body: object) => Promise<void>;
  readonly onClose: () => void;
}

function AddDialog({ texts, onAdd, onClose }: AddDialogProps) {
  const id = useId();
  const add = (given: FormData) => {
    const [provider, label, key] = ['provider', 'label', 'key'].map(name =>
      String(given.get(name) ?? '').trim(),
    );
    return onAdd({ provider, label, key, weight: Number(given.get('weight')) || 1 });
  };
  return (
    <FormDialog texts={texts} title={named(texts.addKey)} name={texts.save} onSend={add} onClose={onClose}>
      <label htmlFor={`${id}-provider`}>{texts.provider}</label>
      <input
        id={`${id}-provider`}
        name="provider"
        type="text"
        className="app-field"
        required
        autoComplete="off"
      />
      <label htmlFor={`${id}-label`}>{texts.label}</label>
      <input
        id={`${id}-label`}
        name="label"
        type="text"
        className="app-field"
        maxLength={200}
        autoComplete="off"
      />
      <label htmlFor={`${id}-weight`}>{texts.weight}</label>
      <input
        id={`${id}-weight`}
        name="weight"
        type="text"
        inputMode="numeric"
        pattern="[1-9][0-9]{0,2}|1000"
        className="app-field"
        defaultValue="1"
        autoComplete="off"
        aria-describedby={`${id}-hint`}
      />
      <small id={`${id}-hint`}>{texts.weightHint}</small>
      <Secret id={`${id}-key`} label={texts.key} />
    </FormDialog>
  );
}

interface RotateDialogProps {
  readonly texts: SectionProps['texts'];
  readonly named: string;
  readonly onRotate: (key: string) => Promise<void>;
  readonly onClose: () => void;
}

function RotateDialog({ texts, named, onRotate, onClose }: RotateDialogProps) {
  const id = useId();
  return (
    <FormDialog
      texts={texts}
      title={filled(texts.rotateKey, { name: named })}
      name={texts.rotate}
      onSend={given => onRotate(String(given.get('key') ?? '').trim())}
      onClose={onClose}
    >
      <Secret id={id} label={texts.newKey} />
    </FormDialog>
  );
}

interface SecretProps {
  readonly id: string;
  readonly label: string;
}

function Secret({ id, label }: SecretProps) {
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <input id={id} name="key" type="password" className="app-field" required autoComplete="off" />
    </>
  );
}
