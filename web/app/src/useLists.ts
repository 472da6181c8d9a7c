/** The conversations as the page lists them: the pinned ones, and the others below. */
import {
  ChatError,
  type Conversation,
  type ConversationChange,
  type ConversationFilter,
  type UseConversations,
  useConversations,
} from '@prosa/react';
import { useMemo } from 'react';

export interface Lists {
  readonly pinned: UseConversations;
  readonly others: UseConversations;
  readonly all: readonly Conversation[];
  readonly refresh: () => Promise<void>;
  readonly take: (conversation: Conversation) => void;
  readonly drop: (id: string) => void;
  readonly update: (id: string, change: ConversationChange) => Promise<Conversation>;
  readonly remove: (id: string) => Promise<void>;
}

/** Pages come one after the other, so what must stand on top is asked for by itself. */
export function useLists(filter: ConversationFilter): Lists {
  const pinned = useConversations(undefined, { ...filter, pinned: true });
  const others = useConversations(undefined, { ...filter, pinned: false });
  const { takeConversation: pin, dropConversation: unpin, refresh: readPinned } = pinned;
  const { takeConversation: put, dropConversation: drop, refresh: readOthers } = others;
  const { updateConversation, deleteConversation } = others;
  const actions = useMemo(() => {
    const take = (conversation: Conversation) => {
      pin(conversation);
      put(conversation);
    };
    const dropBoth = (id: string) => {
      unpin(id);
      drop(id);
    };
    return {
      take,
      drop: dropBoth,
      refresh: async () => {
        await Promise.all([readPinned(), readOthers()]);
      },
      update: async (id: string, change: ConversationChange) => {
        const changed = await updateConversation(id, change);
        take(changed);
        return changed;
      },
      remove: async (id: string) => {
        await deleteConversation(id).catch(ignoreIfGone);
        dropBoth(id);
      },
    };
  }, [pin, unpin, put, drop, readPinned, readOthers, updateConversation, deleteConversation]);
  const all = useMemo(
    () => [...pinned.conversations, ...others.conversations],
    [pinned.conversations, others.conversations],
  );
  return { ...actions, pinned, others, all };
}

/** What somebody else has deleted already is as gone as it should be. */
function ignoreIfGone(cause: unknown): void {
  if (!(cause instanceof ChatError && cause.status === 404)) throw cause;
}
