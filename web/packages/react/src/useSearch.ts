/** The search over all messages as a hook. */
import type { SearchHit, SearchQuery } from '@prosa/core';
import { useCallback } from 'react';
import { useProsa } from './context.js';
import { type Pages, usePages } from './usePages.js';

const PAGE = 20;

/** Finds nothing while nothing is looked for. */
export function useSearch(query: Omit<SearchQuery, 'limit' | 'cursor'>): Pages<SearchHit> {
  const { client } = useProsa();
  const asked = JSON.stringify(query);
  const read = useCallback(
    async (cursor: string | undefined, signal: AbortSignal) => {
      const wanted = JSON.parse(asked) as SearchQuery;
      if (wanted.q.trim() === '') return { items: [], nextCursor: null };
      return client.search({ ...wanted, limit: PAGE, cursor }, signal);
    },
    [client, asked],
  );
  return usePages(read, messageIdOf);
}

function messageIdOf({ messageId }: SearchHit): string {
  return messageId;
}
