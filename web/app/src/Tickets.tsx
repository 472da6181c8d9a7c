/** The tickets: all of them, or the one that the address names. */
import type { Session } from '@prosa/react';
import { TicketList } from './TicketList.js';
import { TicketView } from './TicketView.js';
import type { AppTexts } from './texts.js';

export interface TicketsProps {
  readonly texts: AppTexts;
  readonly session: Session;
  readonly ticketId: string | null;
  readonly autoFocus: boolean;
}

export function Tickets({ texts, session, ticketId, autoFocus }: TicketsProps) {
  if (ticketId === null) return <TicketList texts={texts} />;
  return (
    <TicketView key={ticketId} texts={texts} session={session} ticketId={ticketId} autoFocus={autoFocus} />
  );
}
