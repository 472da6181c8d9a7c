/** Opens a ticket: its id and what is reported. The page goes to it as soon as the server knows it. */
import { ticketFrames } from '@prosa/core';
import { ChatError, type Client, Dialog, useModels, useProsa } from '@prosa/react';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { addressOfTickets } from './route.js';
import type { AppTexts } from './texts.js';

export interface NewTicketDialogProps {
  readonly texts: AppTexts;
  readonly onClose: () => void;
}

export function NewTicketDialog({ texts, onClose }: NewTicketDialogProps) {
  const { client } = useProsa();
  const { models } = useModels();
  const [problem, setProblem] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  const controller = useRef<AbortController | null>(null);
  const id = useId();
  useEffect(() => () => controller.current?.abort(), []);

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const [ticketId, ticketBody, model] = ['id', 'body', 'model'].map(name => String(given.get(name) ?? ''));
    if (!(ticketId?.trim() && ticketBody?.trim())) return;
    const mine = new AbortController();
    controller.current = mine;
    setSending(true);
    setProblem(null);
    try {
      // Its answer would be shown, and what was written here be lost.
      if (await isKnown(client, ticketId.trim())) throw new Error(texts.ticketKnown);
      await open(client, ticketId.trim(), { ticketBody, ...(model ? { model } : {}) }, mine);
      onClose();
      location.hash = addressOfTickets(ticketId.trim());
    } catch (error) {
      if (mine.signal.aborted) return;
      setProblem(error instanceof Error ? error.message : String(error));
      setSending(false);
    }
  };
  return (
    <Dialog title={texts.newTicket} bare={true} onClose={onClose}>
      <form className="app-form" onSubmit={event => void send(event)}>
        <label htmlFor={`${id}-id`}>{texts.ticketId}</label>
        <input
          id={`${id}-id`}
          name="id"
          type="text"
          className="app-field"
          required
          maxLength={200}
          autoComplete="off"
        />
        <label htmlFor={`${id}-body`}>{texts.ticketBody}</label>
        <textarea id={`${id}-body`} name="body" className="app-field" required rows={6} />
        {models && models.length > 1 && (
          <>
            <label htmlFor={`${id}-model`}>{texts.model}</label>
            <select id={`${id}-model`} name="model" className="app-field">
              <option value="">{texts.byDefault}</option>
              {models
                .filter(({ available }) => available)
                .map(({ id: each, name, model }) => (
                  <option key={each} value={each}>
                    {name ?? model}
                  </option>
                ))}
            </select>
          </>
        )}
        {problem !== null && <p role="alert">{problem}</p>}
        <div className="prosa-dialog-foot">
          <button type="button" className="prosa-button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" className="prosa-button prosa-strong" disabled={isSending}>
            {isSending ? texts.answering : texts.openTicket}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const LOOK_MS = 400;

/** Asks, and returns once the server knows the ticket; its answer goes on there. Throws what the server refused. */
async function open(
  client: Client,
  ticketId: string,
  request: { readonly ticketBody: string; readonly model?: string },
  controller: AbortController,
): Promise<void> {
  const { signal } = controller;
  const frames = ticketFrames(client, ticketId, request, { signal });
  const first = frames.next();
  for (;;) {
    const spoken = await Promise.race([first, later(LOOK_MS)]);
    signal.throwIfAborted();
    // An answer that began and failed is the ticket's to show.
    if (spoken?.value?.type === 'error' && spoken.value.runId === undefined) {
      const { code = 'error', message } = spoken.value;
      throw new ChatError({ code, message, status: 400 });
    }
    if (spoken !== null || (await isKnown(client, ticketId))) break;
  }
  // The socket is let go only after the word has gone out: the run belongs to the server.
  controller.abort();
  // What the line says of its end interests nobody any more.
  first.catch(() => {});
}

function later(ms: number): Promise<null> {
  return new Promise(resolve => {
    setTimeout(() => resolve(null), ms);
  });
}

async function isKnown(client: Client, ticketId: string): Promise<boolean> {
  return client.getTicket(ticketId).then(
    () => true,
    () => false,
  );
}
