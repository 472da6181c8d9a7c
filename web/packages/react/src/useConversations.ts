/** The caller's conversations as a hook: listed, made, renamed and deleted. */
import type { Conversation, NewConversation } from '@prosa/core';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useProsa } from './context.js';

export interface UseConversations {
  readonly conversations: readonly Conversation[];
  /** True until the first page has come. */
  readonly loading: boolean;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly loadMore: () => Promise<void>;
  readonly refresh: () => Promise<void>;
  readonly createConversation: (given?: NewConversation) => Promise<Conversation>;
  readonly renameConversation: (id: string, title: string) => Promise<void>;
  readonly deleteConversation: (id: string) => Promise<void>;
}

interface Listing {
  readonly items: readonly Conversation[];
  readonly next: string | null;
  readonly loading: boolean;
  readonly error: Error | null;
}

const PAGE = 50;
const AT_FIRST: Listing = { items: [], next: null, loading: true, error: null };

/** `userId` is accepted for the host's convenience; whose conversations these are is decided by the token. */
export function useConversations(_userId?: string): UseConversations {
  const { client } = useProsa();
  const [listing, setListing] = useState(AT_FIRST);
  const reading = useRef(0);

  const read = useCallback(
    async (cursor?: string) => {
      reading.current += 1;
      const mine = reading.current;
      const query = cursor === undefined ? { limit: PAGE } : { limit: PAGE, cursor };
      try {
        const page = await client.listConversations(query);
        // An answer that a newer question has overtaken is not shown.
        if (reading.current !== mine) return;
        setListing(before => ({
          items: cursor === undefined ? page.items : merged(before.items, page.items),
          next: page.nextCursor,
          loading: false,
          error: null,
        }));
      } catch (error) {
        if (reading.current === mine)
          setListing(before => ({ ...before, loading: false, error: error as Error }));
      }
    },
    [client],
  );

  useEffect(() => {
    void read();
    return () => {
      reading.current += 1;
    };
  }, [read]);

  const change = useCallback((edit: (items: readonly Conversation[]) => readonly Conversation[]) => {
    setListing(before => ({ ...before, items: edit(before.items) }));
  }, []);

  const actions = useMemo(
    () => ({
      refresh: () => read(),
      createConversation: async (given: NewConversation = {}) => {
        const created = await client.createConversation(given);
        change(items => [created, ...without(items, created.id)]);
        return created;
      },
      renameConversation: async (id: string, title: string) => {
        const renamed = await client.updateConversation(id, { title });
        change(items => items.map(item => (item.id === id ? renamed : item)));
      },
      deleteConversation: async (id: string) => {
        await client.deleteConversation(id);
        change(items => without(items, id));
      },
    }),
    [client, read, change],
  );

  const { items, next, loading, error } = listing;
  const loadMore = useCallback(() => (next === null ? Promise.resolve() : read(next)), [next, read]);
  return { ...actions, conversations: items, loading, error, hasMore: next !== null, loadMore };
}

function without(items: readonly Conversation[], id: string): readonly Conversation[] {
  return items.filter(item => item.id !== id);
}

/** A conversation that moved between two pages while they were read is listed once. */
function merged(before: readonly Conversation[], more: readonly Conversation[]): readonly Conversation[] {
  const known = new Set(before.map(item => item.id));
  return [...before, ...more.filter(item => !known.has(item.id))];
}
