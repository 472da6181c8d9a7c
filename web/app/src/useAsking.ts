/** Has a ticket answered anew; the answer is followed in its conversation, where it is written. */
import { NO_ANSWER, Ticket } from '@prosa/core';
import { useProsa } from '@prosa/react';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

export interface Asking {
  readonly isAsking: boolean;
  readonly problem: string | null;
  /** Counts the answers that began here: the conversation is opened anew for each of them. */
  readonly count: number;
  readonly ask: (body: string, model: string | null) => Promise<void>;
}

export function useAsking(ticketId: string, onChange: () => Promise<void>): Asking {
  const { client } = useProsa();
  const ticket = useMemo(() => new Ticket({ client, ticketId }), [client, ticketId]);
  const { answer, loading, error } = useSyncExternalStore(
    ticket.watch,
    useCallback(() => ticket.state, [ticket]),
    () => NO_ANSWER,
  );
  const [count, setCount] = useState(0);
  useEffect(() => () => ticket.close(), [ticket]);

  const hasBegun = loading && answer !== '';
  useEffect(() => {
    if (!hasBegun) return;
    setCount(before => before + 1);
    void onChange();
  }, [hasBegun, onChange]);

  const ask = async (ticketBody: string, model: string | null) => {
    await ticket.refresh(ticketBody, model ?? undefined);
    await onChange();
  };
  return { isAsking: loading, problem: error?.message ?? null, count, ask };
}
