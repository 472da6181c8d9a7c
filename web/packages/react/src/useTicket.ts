/** A ticket's answer as a hook: brought, followed as it grows, asked anew and asked further. */
import { NO_ANSWER, Ticket, type TicketState } from '@prosa/core';
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useProsa } from './context.js';
import { useLatest } from './useLatest.js';

export interface UseTicketOptions {
  readonly ticketId: string | number;
  /** The report; while it is empty nothing is asked. */
  readonly ticketBody: string;
  /** The model that answers, by its id. */
  readonly model?: string | undefined;
}

export interface UseTicket extends TicketState {
  /** Tries again what failed. */
  readonly retry: () => Promise<void>;
  /** Has the ticket answered anew, whatever it was answered before. */
  readonly refresh: () => Promise<void>;
  /** Asks a question more in the ticket's conversation; the answer is the last of `followUps`. */
  readonly ask: (message: string) => Promise<void>;
}

export function useTicket(options: UseTicketOptions): UseTicket {
  const { client } = useProsa();
  const latest = useLatest(options);
  const id = String(options.ticketId);
  const { ticketBody } = options;
  const ticket = useMemo(() => new Ticket({ client, ticketId: id }), [client, id]);
  const state = useSyncExternalStore(
    ticket.watch,
    useCallback(() => ticket.state, [ticket]),
    () => NO_ANSWER,
  );
  useEffect(() => {
    if (ticketBody !== '') void ticket.open(ticketBody, latest.current.model);
    return () => ticket.close();
  }, [ticket, ticketBody, latest]);

  const actions = useMemo(
    () => ({
      retry: () => ticket.open(latest.current.ticketBody, latest.current.model),
      refresh: () => ticket.refresh(latest.current.ticketBody, latest.current.model),
      ask: (message: string) => ticket.ask(message, latest.current.model),
    }),
    [ticket, latest],
  );
  return useMemo(() => ({ ...state, ...actions }), [state, actions]);
}
