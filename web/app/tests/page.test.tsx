/** The page around the conversation: its address, its door, its list. */
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { conversation, json, refused, Wire } from '../../packages/core/tests/wire.js';
import { groupByPeriod } from '../src/periods.js';
import { Root } from '../src/Root.js';
import { takeSignInToken } from '../src/route.js';
import { enter } from '../src/session.js';

const BASE = new URL('http://prosa.test/');
const SESSION = {
  userId: 'ana',
  local: false,
  operator: false,
  language: 'en',
  defaultProvider: null,
  defaultModel: null,
};

let wire: Wire;

beforeEach(() => {
  location.hash = '';
  wire = new Wire()
    .on('GET api/session', () => json(SESSION))
    .on('POST api/session', () => new Response(null, { status: 204 }))
    .on('DELETE api/session', () => new Response(null, { status: 204 }))
    .on('GET api/conversations', ({ query }) =>
      json({ items: query.get('pinned') === 'true' ? [] : [conversation()], nextCursor: null }),
    )
    .on('GET api/conversations/:id', () => json(conversation()))
    .on('GET api/conversations/:id/messages', () => json({ items: [], nextCursor: null }))
    .on('PATCH api/conversations/:id', ({ body }) => json(conversation(body)))
    .on('DELETE api/conversations/:id', () => new Response(null, { status: 204 }));
  vi.stubGlobal('fetch', wire.fetch);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe('the door', () => {
  it('takes the token out of the address', () => {
    location.hash = '#sign-in=a%20b';
    expect(takeSignInToken()).toBe('a b');
    expect(location.hash).toBe('#/');
    expect(takeSignInToken()).toBeNull();
  });

  it('does not stumble over an address that is not encoded rightly', async () => {
    location.hash = '#sign-in=%';
    expect(takeSignInToken()).toBeNull();
    location.hash = '#/c/%E0';
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    expect(await screen.findByRole('navigation')).toBeTruthy();
  });

  it('signs in with a token', async () => {
    expect(await enter(BASE, 'secret')).toMatchObject({ is: 'in', session: SESSION });
    expect(wire.calls('POST api/session')[0]?.body).toEqual({ token: 'secret' });
  });

  it('tells somebody who is not known how to sign in, and why a link failed', async () => {
    wire.on('GET api/session', () => refused(401, 'unauthorized'));
    wire.on('POST api/session', () => refused(401, 'token_expired'));
    render(<Root entering={enter(BASE, 'old')} base={BASE} />);
    expect((await screen.findByRole('alert')).textContent).toBe('Refused: token_expired.');
    expect(screen.getByText('prosa token --user NAME')).toBeTruthy();
  });

  it('says that the server is away, and tries again', async () => {
    wire.on('GET api/session', () => refused(502, 'bad_gateway'));
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    const again = await screen.findByRole('button', { name: 'Try again' });
    wire.on('GET api/session', () => json(SESSION));
    fireEvent.click(again);
    expect(await screen.findByRole('navigation', { name: 'Conversations' })).toBeTruthy();
  });

  it('opens by itself once the server is back', async () => {
    wire.on('GET api/session', () => refused(502, 'bad_gateway'));
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    await screen.findByRole('button', { name: 'Try again' });
    wire.on('GET api/session', () => json(SESSION));
    window.dispatchEvent(new Event('online'));
    expect(await screen.findByRole('navigation', { name: 'Conversations' })).toBeTruthy();
  });
});

describe('the list', () => {
  async function show(): Promise<void> {
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    await screen.findByRole('link', { name: 'A talk' });
  }

  async function choose(name: string): Promise<void> {
    fireEvent.click(screen.getByRole('button', { name: 'More for “A talk”' }));
    fireEvent.click(await screen.findByRole('menuitem', { name }));
  }

  it('marks the conversation that the address names', async () => {
    location.hash = `#/c/${conversation().id}`;
    await show();
    expect(screen.getByRole('link', { name: 'A talk' }).getAttribute('aria-current')).toBe('page');
    expect(document.title).toBe('A talk · Prosa');
  });

  it('renames in place', async () => {
    await show();
    await choose('Rename');
    const field = screen.getByRole('textbox', { name: 'Name of the conversation' });
    fireEvent.change(field, { target: { value: 'Another name' } });
    fireEvent.keyDown(field, { key: 'Enter' });
    expect(await screen.findByRole('link', { name: 'Another name' })).toBeTruthy();
  });

  it('deletes after asking', async () => {
    await show();
    await choose('Delete');
    fireEvent.click(await screen.findByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(screen.queryByRole('link', { name: 'A talk' })).toBeNull());
    expect(wire.asked.at(-1)?.method).toBe('DELETE');
  });

  it('shows the door to somebody whose session has ended', async () => {
    wire.on('GET api/conversations', () => refused(401, 'unauthorized'));
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    await screen.findByRole('navigation');
    wire.on('GET api/session', () => refused(401, 'unauthorized'));
    expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeTruthy();
  });

  it('is searched by the very next key', async () => {
    await show();
    fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
    expect(document.activeElement).toBe(screen.getByRole('textbox', { name: 'Search all conversations' }));
  });

  it('signs out', async () => {
    await show();
    wire.on('GET api/session', () => refused(401, 'unauthorized'));
    fireEvent.click(screen.getByRole('button', { name: 'Sign out' }));
    expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeTruthy();
  });

  it('is sorted by day', () => {
    const now = new Date(2026, 4, 20, 12);
    const at = (day: number) =>
      conversation({ id: String(day), updatedAt: new Date(2026, 4, day, 9).toISOString() });
    const groups = groupByPeriod([at(20), at(19), at(14), at(2)], now);
    expect(groups.map(({ period, items }) => [period, items.length])).toEqual([
      ['today', 1],
      ['yesterday', 1],
      ['week', 1],
      ['earlier', 1],
    ]);
  });
});

describe('the tickets', () => {
  beforeEach(() => {
    location.hash = '#/tickets';
    wire
      .on('GET api/tickets', () => json({ items: [], nextCursor: null }))
      .on('GET api/models', () => json({ items: [], nextCursor: null }))
      .on('GET api/tickets/7', () => json({ id: '7' }));
    render(<Root entering={enter(BASE, null)} base={BASE} />);
  });

  it('have the list of keys, too', async () => {
    await screen.findByRole('button', { name: 'New ticket' });
    fireEvent.keyDown(document.body, { key: '?', shiftKey: true });
    const dialog = screen.getByRole('dialog', { name: 'Keyboard shortcuts' });
    expect(dialog.textContent).toContain('Rename the conversation, in the list');
  });

  it('are not opened over one that there is', async () => {
    fireEvent.click(await screen.findByRole('button', { name: 'New ticket' }));
    fireEvent.change(screen.getByLabelText('Number or id'), { target: { value: '7' } });
    fireEvent.change(screen.getByLabelText('What was reported'), { target: { value: 'It is broken.' } });
    fireEvent.click(screen.getByRole('button', { name: 'Open and answer' }));
    expect((await screen.findByRole('alert')).textContent).toContain('a ticket with this id already');
    expect(screen.getByLabelText<HTMLTextAreaElement>('What was reported').value).toBe('It is broken.');
  });

  it('say so when one that is being answered cannot be looked at any more', async () => {
    const ticket = { id: '7', conversationId: conversation().id, status: 'answering', body: 'It is broken.' };
    wire.on('GET api/tickets/7', () => json({ ...ticket, answer: null, runId: null }));
    location.hash = '#/tickets/7';
    await screen.findByText('Being answered');
    wire.on('GET api/tickets/7', () => refused(503, 'away'));
    expect((await screen.findByText('Refused: away.', {}, { timeout: 5_000 })).role).toBe('alert');
  });
});
