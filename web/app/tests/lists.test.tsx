/** What is chosen and typed at the side of the page, and what the server is asked for because of it. */
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketServer } from '../../packages/core/tests/sockets.js';
import { conversation, json, message, refused, Wire } from '../../packages/core/tests/wire.js';
import { size } from '../src/figures.js';
import { boundsOf, countOf, NO_FILTERS, queryOf } from '../src/filters.js';
import { Root } from '../src/Root.js';
import { addressOf, addressOfTickets, placeOf } from '../src/route.js';
import { enter } from '../src/session.js';

const NOW = new Date(2026, 10, 29, 15);

describe('filters', () => {
  it('ask for nothing as long as none is chosen', () => {
    expect(queryOf(NO_FILTERS, NOW)).toEqual({});
    expect(countOf({ ...NO_FILTERS, period: 'dates' })).toBe(0);
  });

  it('become the query of the list', () => {
    const filters = {
      ...NO_FILTERS,
      status: 'closed',
      kept: 'all',
      model: 'openai/ft:gpt/4o',
      clientId: 'acme',
    } as const;
    expect(queryOf(filters, NOW)).toEqual({
      status: 'closed',
      archived: 'all',
      provider: 'openai',
      model: 'ft:gpt/4o',
      clientId: 'acme',
    });
    expect(countOf(filters)).toBe(4);
    expect(queryOf({ ...NO_FILTERS, kept: 'archived' }, NOW)).toEqual({ archived: true });
  });

  it('count days by the reader’s calendar', () => {
    const today = new Date(2026, 10, 29).toISOString();
    expect(boundsOf({ ...NO_FILTERS, period: 'today' }, NOW)).toEqual({ from: today });
    const week = new Date(2026, 10, 23).toISOString();
    expect(boundsOf({ ...NO_FILTERS, period: 'week' }, NOW)).toEqual({ from: week });
    const dates = { ...NO_FILTERS, period: 'dates', from: '2026-11-02', to: '' } as const;
    expect(boundsOf(dates, NOW)).toEqual({ from: new Date(2026, 10, 2).toISOString() });
    const to = new Date(2026, 10, 2, 23, 59, 59, 999).toISOString();
    expect(boundsOf({ ...dates, from: '', to: '2026-11-02' }, NOW)).toEqual({ to });
  });
});

describe('addresses', () => {
  it('name a conversation, a message in it, the tickets, one of them', () => {
    for (const [id, at] of [
      ['c/1 ü', undefined],
      ['c', 'm/2'],
    ] as const) {
      const place = { view: 'chat', conversationId: id, messageId: at ?? null };
      expect(placeOf(addressOf(id, at))).toEqual(place);
    }
    expect(placeOf(addressOfTickets())).toEqual({ view: 'tickets', ticketId: null });
    expect(placeOf(addressOfTickets('47/11 ü'))).toEqual({ view: 'tickets', ticketId: '47/11 ü' });
    expect(placeOf('#/nonsense')).toEqual({ view: 'chat', conversationId: null, messageId: null });
  });
});

describe('sizes', () => {
  it('are written as people write them', () => {
    expect(size(999, 'en')).toBe('999 byte');
    expect(size(1_250, 'en')).toBe('1 kB');
    expect(size(12_345_678, 'pt')).toBe('12,3 MB');
  });
});

describe('the sidebar', () => {
  const ID = conversation().id;
  let wire: Wire;

  beforeEach(() => {
    location.hash = '';
    const session = {
      userId: 'ana',
      local: true,
      operator: false,
      language: 'en',
      defaultProvider: null,
      defaultModel: null,
    };
    const hit = {
      conversationId: ID,
      title: 'A talk',
      messageId: 'm1',
      role: 'user',
      createdAt: '2026-01-01T00:00:00Z',
      snippet: [
        { text: '## The **so many `', hit: false },
        { text: 'pears', hit: true },
      ],
    };
    wire = new Wire()
      .on('GET api/session', () => json(session))
      .on('GET api/models', () => json({ items: [], nextCursor: null }))
      .on('GET api/conversations', ({ query }) =>
        json({ items: query.get('pinned') === 'true' ? [] : [conversation()], nextCursor: null }),
      )
      .on('GET api/conversations/:id', () => json(conversation()))
      .on('GET api/conversations/:id/messages', () => json({ items: [message('m1')], nextCursor: null }))
      .on('PATCH api/conversations/:id', ({ body }) => json(conversation(body)))
      .on('GET api/search', () => json({ items: [hit], nextCursor: null }));
    vi.stubGlobal('fetch', wire.fetch);
    vi.stubGlobal('WebSocket', new SocketServer().socket);
  });

  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });

  async function show(): Promise<void> {
    const base = new URL('http://prosa.test/');
    render(<Root entering={enter(base, null)} base={base} />);
    await screen.findByRole('link', { name: 'A talk' });
  }

  async function choose(name: string): Promise<void> {
    fireEvent.click(screen.getByRole('button', { name: 'More for “A talk”' }));
    fireEvent.click(await screen.findByRole('menuitem', { name }));
  }

  it('finds messages, marks the words and leads to them', async () => {
    await show();
    fireEvent.keyDown(document, { key: 'k', ctrlKey: true });
    const field = screen.getByRole('textbox', { name: /^Search/ });
    await waitFor(() => expect(document.activeElement).toBe(field));
    fireEvent.change(field, { target: { value: 'pears' } });
    const mark = await screen.findByText('pears', { selector: 'mark' });
    expect(mark.closest('a')?.getAttribute('href')).toBe(`#/c/${ID}/m/m1`);
    expect(mark.parentElement?.textContent).toBe(' The so many pears');
    expect(wire.calls('GET api/search')[0]?.query.get('q')).toBe('pears');
  });

  it('takes back what was done by mistake', async () => {
    await show();
    await choose('Archive');
    await waitFor(() => expect(screen.queryByRole('link', { name: 'A talk' })).toBeNull());
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByRole('link', { name: 'A talk' })).toBeTruthy();
    const changes = wire.calls(`PATCH api/conversations/${ID}`).map(({ body }) => body);
    expect(changes).toEqual([{ archived: true }, { archived: false }]);
  });

  it('turns to the branch of a message that is not shown, and only then', async () => {
    await show();
    location.hash = `#/c/${ID}/m/m1`;
    await waitFor(() => expect(wire.calls(`GET api/conversations/${ID}/messages`).length).toBeGreaterThan(1));
    expect(wire.calls(`PATCH api/conversations/${ID}`)).toEqual([]);
    location.hash = `#/c/${ID}/m/m2`;
    await waitFor(() =>
      expect(wire.calls(`PATCH api/conversations/${ID}`).map(({ body }) => body)).toEqual([{ headId: 'm2' }]),
    );
  });

  it('says that a change failed, and does it when it can', async () => {
    wire.on('PATCH api/conversations/:id', () => refused(503, 'draining'));
    await show();
    await choose('Close');
    expect((await screen.findByRole('alert')).textContent).toContain('Refused: draining.');
    wire.on('PATCH api/conversations/:id', ({ body }) => json(conversation(body)));
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('link', { name: 'A talk Closed' })).toBeTruthy();
  });
});
