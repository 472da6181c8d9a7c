/** Lists that stay right while rows come and go, in the server and here. */
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { conversation, json, Wire } from '../../core/tests/wire.js';
import { type ConversationFilter, ProsaProvider, useConversations } from '../src/index.js';

afterEach(cleanup);

/** Pages by what stands after the last row, as the server does it. */
class Shelf {
  readonly rows = new Map<string, ReturnType<typeof conversation>>();
  readonly wire = new Wire();
  #now = 0;

  constructor(count: number) {
    for (let n = 0; n < count; n += 1) this.put(`row-${n}`);
    this.wire.on('GET api/conversations', ({ query }) => json(this.#page(query)));
    this.wire.on('PATCH api/conversations/:id', ({ body }, [, id = '']) => json(this.put(id, body)));
    this.wire.on('DELETE api/conversations/:id', (_, [, id = '']) => {
      this.rows.delete(id);
      return new Response(null, { status: 204 });
    });
  }

  put(id: string, given: Partial<ReturnType<typeof conversation>> = {}) {
    this.#now += 1;
    const updatedAt = new Date(this.#now * 1000).toISOString();
    const row = { ...(this.rows.get(id) ?? conversation({ id, title: id })), ...given, updatedAt };
    this.rows.set(id, row);
    return row;
  }

  get ids(): string[] {
    return this.#sorted().map(({ id }) => id);
  }

  #sorted() {
    return [...this.rows.values()].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
  }

  #page(query: URLSearchParams) {
    const after = query.get('cursor') ?? '\uffff';
    const pinned = query.get('pinned');
    const found = this.#sorted()
      .filter(row => row.updatedAt < after && (pinned === null || String(row.pinned) === pinned))
      .slice(0, 51);
    const items = found.slice(0, 50);
    return { items, nextCursor: found.length > 50 ? (items.at(-1)?.updatedAt ?? null) : null };
  }
}

function show(shelf: Shelf, filter?: ConversationFilter) {
  const client = shelf.wire.client();
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <ProsaProvider client={client} language="en">
      {children}
    </ProsaProvider>
  );
  const { result, rerender } = renderHook(given => useConversations('ana', given), {
    wrapper,
    initialProps: filter,
  });
  return { result, rerender, ids: () => result.current.conversations.map(({ id }) => id) };
}

describe('a list of conversations', () => {
  it('loses no row and repeats none while others come and go between its pages', async () => {
    const shelf = new Shelf(170);
    const { result, ids } = show(shelf);
    await waitFor(() => expect(ids()).toHaveLength(50));
    const untouched = new Set(shelf.ids);
    for (let round = 0; result.current.hasMore; round += 1) {
      const seen = ids();
      for (const id of [seen[3], seen[40], `row-${round}`]) {
        shelf.put(id ?? '');
        untouched.delete(id ?? '');
      }
      shelf.rows.delete(seen[10] ?? '');
      untouched.delete(seen[10] ?? '');
      shelf.put(`new-${round}`);
      await act(() => result.current.loadMore());
      expect(new Set(ids()).size).toBe(ids().length);
    }
    for (const id of untouched) expect(ids()).toContain(id);
    await act(() => result.current.refresh());
    expect(ids()).toEqual(shelf.ids);
    expect(result.current.hasMore).toBe(false);
  });

  it('keeps what was read, and the reader’s place, when it is read anew', async () => {
    const shelf = new Shelf(170);
    const { result, ids } = show(shelf);
    await waitFor(() => expect(ids()).toHaveLength(50));
    await act(() => result.current.loadMore());
    shelf.put('row-60');
    await act(() => result.current.refresh());
    expect(ids()).toEqual(shelf.ids.slice(0, 100));
  });

  it('does not bring back what was deleted while it was being read', async () => {
    const shelf = new Shelf(60);
    const { result, ids } = show(shelf);
    await waitFor(() => expect(ids()).toHaveLength(50));
    const [doomed = ''] = ids();
    await act(async () => {
      const reading = result.current.refresh();
      await Promise.all([reading, result.current.deleteConversation(doomed)]);
    });
    expect(ids()).not.toContain(doomed);
    expect(ids()).toEqual(shelf.ids.slice(0, ids().length));
  });

  it('puts a changed conversation where it belongs, or out of the list', async () => {
    const shelf = new Shelf(60);
    const { result, ids } = show(shelf, { pinned: false });
    await waitFor(() => expect(ids()).toHaveLength(50));
    const [, , third = '', fourth = ''] = ids();
    await act(() => result.current.renameConversation(third, 'Now on top'));
    expect(ids()[0]).toBe(third);
    await act(async () => void (await result.current.updateConversation(fourth, { pinned: true })));
    expect(ids()).not.toContain(fourth);
    const updatedAt = '1969-01-01T00:00:00Z';
    await act(async () => result.current.takeConversation(conversation({ id: 'old', updatedAt })));
    expect(ids()).not.toContain('old');
  });

  it('shows another list when it is asked for one', async () => {
    const shelf = new Shelf(5);
    shelf.put('row-2', { pinned: true });
    const { rerender, ids } = show(shelf, { pinned: true });
    await waitFor(() => expect(ids()).toEqual(['row-2']));
    rerender({ pinned: false });
    await waitFor(() => expect(ids()).toEqual(['row-4', 'row-3', 'row-1', 'row-0']));
  });
});
