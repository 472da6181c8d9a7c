/** All tickets, the latest change first, with how they stand. */
import {
  ShortcutDialog,
  type TicketForm,
  type TicketStatus,
  useProsa,
  useShortcuts,
  useTickets,
} from '@prosa/react';
import { useCallback, useEffect, useId, useRef, useState } from 'react';
import { Glyph } from './Glyph.js';
import { More } from './More.js';
import { NewTicketDialog } from './NewTicketDialog.js';
import { addressOfTickets } from './route.js';
import { Skeletons } from './Skeletons.js';
import { StatusMark } from './StatusMark.js';
import type { AppTexts } from './texts.js';
import { useArrows } from './useArrows.js';

const STATUSES: readonly TicketStatus[] = ['answering', 'answered', 'failed', 'unanswered'];

export function TicketList({ texts }: { readonly texts: AppTexts }) {
  const [status, setStatus] = useState<TicketStatus | ''>('');
  const [isOpening, setOpening] = useState(false);
  const [isHelping, setHelping] = useState(false);
  const { keyHelp } = useProsa().texts;
  const tickets = useTickets(status || undefined);
  const id = useId();
  const filter = useRef<HTMLSelectElement>(null);
  const box = useRef<HTMLDivElement>(null);
  useArrows(
    box,
    useCallback(() => filter.current?.focus(), []),
  );
  useLooks(tickets.refresh, tickets.items);
  // There is no chat here that would bring it.
  useShortcuts([{ keys: '?', label: keyHelp, section: 'page', run: () => setHelping(true) }]);
  return (
    <div className="app-tickets" ref={box}>
      <header className="app-tickets-head">
        <h2>{texts.tickets}</h2>
        <label className="prosa-hidden" htmlFor={id}>
          {texts.status}
        </label>
        <select
          ref={filter}
          id={id}
          className="app-field"
          value={status}
          onChange={event => setStatus(event.target.value as TicketStatus | '')}
        >
          <option value="">{texts.anyStatus}</option>
          {STATUSES.map(each => (
            <option key={each} value={each}>
              {texts.ticketStatus[each]}
            </option>
          ))}
        </select>
        <button type="button" className="prosa-button prosa-strong" onClick={() => setOpening(true)}>
          {texts.newTicket}
        </button>
      </header>
      <Rows texts={texts} tickets={tickets} isFiltered={status !== ''} />
      {isOpening && <NewTicketDialog texts={texts} onClose={() => setOpening(false)} />}
      {isHelping && <ShortcutDialog onClose={() => setHelping(false)} />}
    </div>
  );
}

interface RowsProps {
  readonly texts: AppTexts;
  readonly tickets: ReturnType<typeof useTickets>;
  readonly isFiltered: boolean;
}

function Rows({ texts, tickets, isFiltered }: RowsProps) {
  const { items, loading, busy, error, hasMore, refresh } = tickets;
  if (loading) return <Skeletons label={texts.loading} />;
  if (error && items.length === 0) {
    return (
      <div className="app-note" role="alert">
        <p>{error.message}</p>
        <button type="button" className="prosa-button" onClick={() => void refresh()}>
          {texts.retry}
        </button>
      </div>
    );
  }
  if (items.length === 0 && !busy) {
    return (
      <div className="app-empty">
        <Glyph name="ticket" />
        <p>{isFiltered ? texts.noSuchTickets : texts.noTickets}</p>
      </div>
    );
  }
  return (
    <>
      <ul className="app-ticket-rows" aria-busy={busy}>
        {items.map(ticket => (
          <Row key={ticket.id} texts={texts} ticket={ticket} />
        ))}
      </ul>
      {hasMore && <More texts={texts} pages={tickets} />}
    </>
  );
}

function Row({ texts, ticket }: { readonly texts: AppTexts; readonly ticket: TicketForm }) {
  const { language } = useProsa();
  const { id, status, answer, updatedAt } = ticket;
  const time = new Date(updatedAt).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <li>
      <a href={addressOfTickets(id)} data-row={true}>
        <strong>{id}</strong>
        <StatusMark texts={texts} status={status} />
        <time dateTime={updatedAt}>{time}</time>
        {answer !== null && <span className="app-excerpt">{excerptOf(answer)}</span>}
      </a>
    </li>
  );
}

/** The beginning of an answer as one line of words. */
function excerptOf(answer: string): string {
  return answer
    .slice(0, 400)
    .replace(/[#*_`>|~]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const LOOK_MS = 3_000;

/** While answers are being written, and when somebody comes back, the list is looked at anew. */
function useLooks(refresh: () => Promise<void>, items: readonly TicketForm[]): void {
  const isAnswering = items.some(({ status }) => status === 'answering');
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    const timer = isAnswering ? setInterval(look, LOOK_MS) : undefined;
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [refresh, isAnswering]);
}
