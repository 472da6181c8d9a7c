/** The panel of one's own usage. */
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, refused, Wire } from '../../packages/core/tests/wire.js';
import { Root } from '../src/Root.js';
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
const SUMS = { requests: 3, totalTokens: 1234, cost: 0.0375, costExact: '0.0375' };
const USAGE = {
  ...SUMS,
  messagesCount: 6,
  estimated: 1,
  unpriced: 0,
  remaining: { tokens: 766, cost: '1.5', tokensResetAt: null, costResetsAt: null, scope: 'user' },
  models: [{ ...SUMS, provider: 'openai', model: 'gpt-4o' }],
};

let wire: Wire;

beforeEach(() => {
  location.hash = '';
  wire = new Wire()
    .on('GET api/session', () => json(SESSION))
    .on('GET api/conversations', () => json({ items: [], nextCursor: null }))
    .on('GET api/usage', () => json(USAGE));
  vi.stubGlobal('fetch', wire.fetch);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function opened(language = 'en'): Promise<HTMLElement> {
  vi.spyOn(navigator, 'language', 'get').mockReturnValue(language);
  render(<Root entering={enter(BASE, null)} base={BASE} />);
  fireEvent.click(await screen.findByRole('button', { name: /Usage and costs|Uso e custos/ }));
  return screen.findByRole('dialog');
}

describe('the panel of usage', () => {
  it('asks for nothing until it is opened', async () => {
    render(<Root entering={enter(BASE, null)} base={BASE} />);
    await screen.findByRole('button', { name: 'Usage and costs' });
    expect(wire.calls('GET api/usage')).toEqual([]);
  });

  it('shows what was used and what is left', async () => {
    const dialog = within(await opened());
    expect(await dialog.findByText('1,234', { selector: 'dd' })).toBeTruthy();
    expect(dialog.getByText('$0.0375', { selector: 'dd' })).toBeTruthy();
    expect(dialog.getByText('Tokens left today').nextSibling?.textContent).toBe('766');
    expect(dialog.getByText('Left this month').nextSibling?.textContent).toBe('$1.50');
    expect(dialog.getByText('With estimated tokens: 1')).toBeTruthy();
    expect(dialog.getByRole('rowheader', { name: 'openai/gpt-4o' })).toBeTruthy();
    fireEvent.click(dialog.getByRole('button', { name: 'Close' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('speaks Portuguese', async () => {
    const dialog = within(await opened('pt'));
    expect(await dialog.findByText('Uso neste mês')).toBeTruthy();
  });

  it('says why it has nothing, and tries again', async () => {
    wire.on('GET api/usage', () => refused(503, 'store_unavailable'));
    const dialog = within(await opened());
    expect((await dialog.findByRole('alert')).textContent).toContain('Refused: store_unavailable.');
    wire.on('GET api/usage', () => json(USAGE));
    fireEvent.click(dialog.getByRole('button', { name: 'Try again' }));
    expect(await dialog.findByText('1,234', { selector: 'dd' })).toBeTruthy();
  });
});
