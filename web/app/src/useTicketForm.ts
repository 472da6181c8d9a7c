/** A ticket as the server knows it, looked at anew while its answer is being written. */
import { type Client, type TicketInFull, useProsa } from '@prosa/react';
import { useCallback, useEffect, useState } from 'react';

export interface UseTicketForm {
  /** Null until it is known. */
  readonly form: TicketInFull | null;
  /** Why its last answer failed, where it did. */
  readonly reason: string | null;
  readonly error: Error | null;
  readonly refresh: () => Promise<void>;
}

interface Known {
  readonly form: TicketInFull;
  readonly reason: string | null;
}

const LOOK_MS = 1_500;

export function useTicketForm(ticketId: string): UseTicketForm {
  const { client } = useProsa();
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const refresh = useCallback(async () => {
    try {
      const form = await client.getTicket(ticketId);
      setKnown({ form, reason: await reasonOf(client, form) });
      setError(null);
    } catch (cause) {
      setError(cause as Error);
    }
  }, [client, ticketId]);

  const isAnswering = known?.form.status === 'answering';
  useEffect(() => {
    void refresh();
    if (!isAnswering) return;
    const timer = setInterval(() => void refresh(), LOOK_MS);
    return () => clearInterval(timer);
  }, [refresh, isAnswering]);
  return { form: known?.form ?? null, reason: known?.reason ?? null, error, refresh };
}

async function reasonOf(client: Client, { status, runId }: TicketInFull): Promise<string | null> {
  if (status !== 'failed' || runId === null) return null;
  // Where it can't be had, the status says enough.
  const run = await client.getRun(runId).catch(() => null);
  return run?.error?.message ?? null;
}
