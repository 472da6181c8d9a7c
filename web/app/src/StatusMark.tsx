/** How a ticket stands, in a word and a colour. */
import type { TicketStatus } from '@prosa/react';
import type { AppTexts } from './texts.js';

export interface StatusMarkProps {
  readonly texts: AppTexts;
  readonly status: TicketStatus;
}

export function StatusMark({ texts, status }: StatusMarkProps) {
  return (
    <span className="app-status" data-status={status}>
      {texts.ticketStatus[status]}
    </span>
  );
}
