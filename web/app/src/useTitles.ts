/** Conversations get their titles after their first answers: the page looks for them a few times, then less often. */
import { type Conversation, useProsa } from '@prosa/react';
import { useCallback, useEffect, useRef } from 'react';

/** Milliseconds after a message was sent. */
const LOOKS_MS = [0, 2_000, 5_000, 10_000, 20_000, 40_000, 80_000];

/** Returns what is called when a message was sent; `take` is given the conversation each time it has changed. */
export function useTitles(take: (conversation: Conversation) => void): (conversationId: string) => void {
  const { client } = useProsa();
  const looking = useRef<{ readonly id: string; readonly stop: () => void } | null>(null);
  useEffect(() => () => looking.current?.stop(), []);

  return useCallback(
    (id: string) => {
      looking.current?.stop();
      const controller = new AbortController();
      let before: string | null = null;
      const look = async () => {
        const found = await client.getConversation(id, controller.signal);
        if (controller.signal.aborted) return;
        if (found.updatedAt + found.title !== before) take(found);
        before = found.updatedAt + found.title;
      };
      // Nobody asked for these looks; if one fails, the next may not.
      const timers = LOOKS_MS.map(ms => setTimeout(() => void look().catch(() => {}), ms));
      const stop = () => {
        controller.abort();
        for (const timer of timers) clearTimeout(timer);
      };
      looking.current = { id, stop };
    },
    [client, take],
  );
}
