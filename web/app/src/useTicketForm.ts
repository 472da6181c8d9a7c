/** A ticket as the server knows it, looked at anew while its answer is being written. */
import { type TicketInFull, useProsa } from '@prosa/react';
import { useCallback, useEffect, useState } from 'react';

export interface UseTicketForm {
  /** Null until it is known. */
  readonly form: TicketInFull | null;
  readonly error: Error | null;
  readonly refresh: () => Promise<void>;
}

const LOOK_MS = 1_500;

export function useTicketForm(ticketId: string): UseTicketForm {
  const { client } = useProsa();
  const [form, setForm] = useState<TicketInFull | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const refresh = useCallback(async () => {
    try {
      setForm(await client.getTicket(ticketId));
      setError(null);
    } catch (cause) {
      setError(cause as Error);
    }
  }, [client, ticketId]);

  const isAnswering = form?.status === 'answering';
  useEffect(() => {
    void refresh();
    if (!isAnswering) return;
    const timer = setInterval(() => void refresh(), LOOK_MS);
    return () => clearInterval(timer);
  }, [refresh, isAnswering]);
  return { form, error, refresh };
}
