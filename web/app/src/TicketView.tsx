/** One ticket: what was reported, what was answered, and what can be asked of it. */
import {
  ChatInterface,
  ModelPicker,
  type Session,
  type TicketInFull,
  useModels,
  useProsa,
} from '@prosa/react';
import { useState } from 'react';
import { Glyph } from './Glyph.js';
import { addressOfTickets } from './route.js';
import { Skeletons } from './Skeletons.js';
import { StatusMark } from './StatusMark.js';
import type { AppTexts } from './texts.js';
import { type Asking, useAsking } from './useAsking.js';
import { useTicketForm } from './useTicketForm.js';

export interface TicketViewProps {
  readonly texts: AppTexts;
  readonly session: Session;
  readonly ticketId: string;
  readonly autoFocus: boolean;
}

export function TicketView({ texts, session, ticketId, autoFocus }: TicketViewProps) {
  const { form, reason, error, refresh } = useTicketForm(ticketId);
  const [model, setModel] = useState<string | null>(null);
  const asking = useAsking(ticketId, refresh);
  const problem = asking.isAsking ? null : (asking.problem ?? reason ?? error?.message ?? null);
  if (form === null) {
    return (
      <div className="app-tickets">
        <Back texts={texts} />
        {error ? (
          <div className="app-note" role="alert">
            <p>{error.message}</p>
            <button type="button" className="prosa-button" onClick={() => void refresh()}>
              {texts.retry}
            </button>
          </div>
        ) : (
          <Skeletons label={texts.loading} />
        )}
      </div>
    );
  }
  return (
    <div className="app-ticket">
      <header className="app-ticket-head">
        <Back texts={texts} />
        <h2>{texts.ticketOf.replace('{id}', () => form.id)}</h2>
        <StatusMark texts={texts} status={form.status} />
        <Deeds
          texts={texts}
          form={form}
          model={model}
          asking={asking}
          onModel={setModel}
          onChange={refresh}
        />
        {problem !== null && (
          <p className="app-ticket-problem" role="alert">
            {problem}
          </p>
        )}
        <details className="app-ticket-body">
          <summary>{texts.ticketBody}</summary>
          <p>{form.body}</p>
        </details>
      </header>
      <ChatInterface
        key={asking.count}
        userId={session.userId}
        conversationId={form.conversationId}
        model={model ?? undefined}
        autoFocus={autoFocus}
        placeholder={texts.followUp}
        onMessageSent={() => void refresh()}
      />
    </div>
  );
}

function Back({ texts }: { readonly texts: AppTexts }) {
  return (
    <a className="app-back" href={addressOfTickets()} aria-label={texts.allTickets} title={texts.allTickets}>
      <Glyph name="back" />
    </a>
  );
}

interface DeedsProps {
  readonly texts: AppTexts;
  readonly form: TicketInFull;
  readonly model: string | null;
  readonly asking: Asking;
  readonly onModel: (model: string) => void;
  readonly onChange: () => Promise<void>;
}

function Deeds({ texts, form, model, asking, onModel, onChange }: DeedsProps) {
  const { client } = useProsa();
  const { models } = useModels();
  const [problem, setProblem] = useState<string | null>(null);
  const isBusy = asking.isAsking || form.status === 'answering';
  const forget = async () => {
    try {
      await client.forgetAnswer(form.id);
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    await onChange();
  };
  return (
    <div className="app-deeds">
      {models && models.length > 1 && (
        <ModelPicker
          models={models}
          value={model ?? modelOf(form) ?? models.find(each => each.default)?.id ?? null}
          onChoose={onModel}
          disabled={isBusy}
        />
      )}
      <button
        type="button"
        className="prosa-button"
        disabled={isBusy}
        onClick={() => void asking.ask(form.body, model)}
      >
        {isBusy ? texts.answering : form.answer === null ? texts.askTicket : texts.askAnew}
      </button>
      {form.answer !== null && (
        <button type="button" className="prosa-button" disabled={isBusy} onClick={() => void forget()}>
          {texts.forgetAnswer}
        </button>
      )}
      {problem !== null && <p role="alert">{problem}</p>}
    </div>
  );
}

function modelOf({ provider, model }: TicketInFull): string | null {
  return provider === null || model === null ? null : `${provider}/${model}`;
}
