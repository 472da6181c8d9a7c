/** The tickets as a hook, the latest change first. */
import type { TicketForm, TicketStatus } from '@prosa/core';
import { useCallback } from 'react';
import { useProsa } from './context.js';
import { type Pages, usePages } from './usePages.js';

const PAGE = 50;

export function useTickets(status?: TicketStatus): Pages<TicketForm> {
  const { client } = useProsa();
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) =>
      client.listTickets({ status, limit: PAGE, cursor }, signal),
    [client, status],
  );
  return usePages(read, idOf);
}

function idOf({ id }: TicketForm): string {
  return id;
}
