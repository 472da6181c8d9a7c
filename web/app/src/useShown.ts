/** The conversation that is shown: out of the list, or asked for where the list does not have it. */
import { type Conversation, isUuid, useProsa } from '@prosa/react';
import { useEffect, useState } from 'react';

export function useShown(id: string | null, listed: readonly Conversation[]): Conversation | null {
  const { client } = useProsa();
  const [other, setOther] = useState<Conversation | null>(null);
  const found = listed.find(conversation => conversation.id === id) ?? null;
  const isMissing = id !== null && isUuid(id) && found === null && other?.id !== id;
  useEffect(() => {
    if (!isMissing || id === null) return;
    const controller = new AbortController();
    // Where it can't be had, the chat says why.
    client.getConversation(id, controller.signal).then(setOther, () => {});
    return () => controller.abort();
  }, [client, id, isMissing]);
  return found ?? (other?.id === id ? other : null);
}
