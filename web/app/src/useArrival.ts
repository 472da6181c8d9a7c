/** Where the page has arrived: before a message is shown in its conversation, its branch becomes the shown one. */
import { type Client, useProsa } from '@prosa/react';
import { useEffect, useState } from 'react';

export interface Arrival {
  readonly conversationId: string | null;
  readonly messageId: string | null;
  /** Counts the messages that were gone to; each of them opens its conversation anew. */
  readonly jumps: number;
}

/** Lags behind the address while a branch is being turned to. */
export function useArrival(conversationId: string | null, messageId: string | null): Arrival {
  const { client } = useProsa();
  const [last, setLast] = useState<Arrival>({ conversationId: null, messageId: null, jumps: 0 });
  const isHere = last.conversationId === conversationId && last.messageId === messageId;
  useEffect(() => {
    if (conversationId === null || messageId === null) return;
    const controller = new AbortController();
    const arrive = () => {
      if (controller.signal.aborted) return;
      setLast(({ jumps }) => ({ conversationId, messageId, jumps: jumps + 1 }));
    };
    // A message that is no more leaves its conversation to be shown, as it is.
    turnTo(client, conversationId, messageId, controller.signal).then(arrive, arrive);
    return () => controller.abort();
  }, [client, conversationId, messageId]);

  if (messageId === null && !isHere) {
    // The same conversation stays as it stands.
    const here = { conversationId, messageId, jumps: last.jumps };
    setLast(here);
    return here;
  }
  return last;
}

const PAGE = 100;
const PAGES = 5;

/** Makes a message's branch the shown one, unless it is that already. */
async function turnTo(
  client: Client,
  conversationId: string,
  messageId: string,
  signal: AbortSignal,
): Promise<void> {
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const query = { order: 'desc' as const, limit: PAGE, ...(cursor ? { cursor } : {}) };
    const { items, nextCursor } = await client.listMessages(conversationId, query, signal);
    if (items.some(({ id }) => id === messageId)) return;
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  await client.updateConversation(conversationId, { headId: messageId });
}
