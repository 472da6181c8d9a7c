/** Tickets as the JSON API tells them: a support case, its one conversation, its one answer. */

export type TicketStatus = 'answering' | 'answered' | 'failed' | 'unanswered';

export interface TicketForm {
  /** The id that the ticket desk gave it. */
  readonly id: string;
  readonly conversationId: string;
  readonly status: TicketStatus;
  readonly answer: string | null;
  readonly runId: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly answeredAt: string | null;
}

export interface TicketInFull extends TicketForm {
  readonly body: string;
}

export interface TicketQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly status?: TicketStatus | undefined;
}
