/** The caller's conversations as a hook: listed, made, changed and deleted. */
import type { Conversation, ConversationChange, ConversationQuery, NewConversation } from '@prosa/core';
import { useCallback, useMemo } from 'react';
import { useProsa } from './context.js';
import { isListed, isToAnswer, placed, without } from './listing.js';
import { usePages } from './usePages.js';

/** Which conversations are listed; the same as long as it says the same. */
export type ConversationFilter = Omit<ConversationQuery, 'limit' | 'cursor'>;

export interface UseConversations {
  readonly conversations: readonly Conversation[];
  /** True until the first page has come. */
  readonly loading: boolean;
  /** True while more is read, or read anew. */
  readonly busy: boolean;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly loadMore: () => Promise<void>;
  readonly refresh: () => Promise<void>;
  readonly createConversation: (given?: NewConversation) => Promise<Conversation>;
  readonly renameConversation: (id: string, title: string) => Promise<void>;
  readonly updateConversation: (id: string, change: ConversationChange) => Promise<Conversation>;
  readonly deleteConversation: (id: string) => Promise<void>;
  /** Puts a conversation that is known otherwise where it belongs in the list, or out of it. */
  readonly takeConversation: (conversation: Conversation) => void;
  /** Takes one off the list that is no more. */
  readonly dropConversation: (id: string) => void;
}

const PAGE = 50;
const EVERYTHING: ConversationFilter = {};

/** `userId` is accepted for the host's convenience; whose conversations these are is decided by the token. */
export function useConversations(
  _userId?: string,
  filter: ConversationFilter = EVERYTHING,
): UseConversations {
  const { client } = useProsa();
  const asked = JSON.stringify(filter);
  const read = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = JSON.parse(asked) as ConversationFilter;
      return client.listConversations({ ...query, limit: PAGE, ...(cursor ? { cursor } : {}) }, signal);
    },
    [client, asked],
  );
  const { items, edit, ...pages } = usePages(read, idOf);

  const actions = useMemo(() => {
    const query = JSON.parse(asked) as ConversationFilter;
    const takeConversation = (conversation: Conversation) =>
      edit((before, hasMore) => {
        const isKnown = before.some(({ id }) => id === conversation.id);
        const stays = isListed(conversation, query) && (isKnown || isToAnswer(conversation, query));
        return stays ? placed(before, conversation, hasMore) : without(before, conversation.id);
      });
    const dropConversation = (id: string) => edit(before => without(before, id));
    const updateConversation = async (id: string, change: ConversationChange) => {
      const changed = await client.updateConversation(id, change);
      takeConversation(changed);
      return changed;
    };
    return {
      takeConversation,
      dropConversation,
      updateConversation,
      createConversation: async (given: NewConversation = {}) => {
        const created = await client.createConversation(given);
        takeConversation(created);
        return created;
      },
      renameConversation: async (id: string, title: string) => {
        await updateConversation(id, { title });
      },
      deleteConversation: async (id: string) => {
        await client.deleteConversation(id);
        dropConversation(id);
      },
    };
  }, [client, asked, edit]);
  return { ...actions, ...pages, conversations: items };
}

function idOf({ id }: Conversation): string {
  return id;
}
