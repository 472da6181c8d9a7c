/** The operator's view: who may see it, and what its sections show and send. */
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, refused, Wire } from '../../packages/core/tests/wire.js';
import { money } from '../src/operator/figures.js';
import { labelled, scaleOf, ticksTo } from '../src/operator/plots/scale.js';
import { drawn } from '../src/operator/Run.js';
import { Root } from '../src/Root.js';
import { enter } from '../src/session.js';

const BASE = new URL('http://prosa.test/');
const RUN = {
  id: '01900000-0000-7000-8000-0000deadbeef',
  conversationId: 'c1',
  userId: 'ana',
  clientId: 'acme',
  status: 'failed',
  reason: 'error',
  errorCode: 'provider_unavailable',
  provider: 'openai',
  model: 'gpt-5',
  route: 'smart',
  createdAt: '2026-11-29T10:00:00Z',
  endedAt: '2026-11-29T10:00:04Z',
  firstTokenMs: 900,
  durationMs: 4000,
  totalTokens: 42,
  cost: '0.000123',
};
const OWN = {
  tokensPerDay: 1000,
  costPerMonth: '2.5',
  requestsPerMinute: null,
  runsAtOnce: 3,
  sockets: null,
};

let wire: Wire;

// It is loaded when it is opened, which takes a while the first time.
beforeAll(() => import('../src/operator/Operator.js'));

beforeEach(() => {
  location.hash = '#/operator';
  wire = new Wire()
    .on('GET api/session', () =>
      json({ userId: 'op', local: false, operator: true, language: 'en', defaultProvider: null }),
    )
    .on('GET api/conversations', () => json({ items: [], nextCursor: null }));
  vi.stubGlobal('fetch', wire.fetch);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open(hash: string): void {
  location.hash = hash;
  render(<Root entering={enter(BASE, null)} base={BASE} />);
}

function listing(path: string, items: readonly unknown[]): void {
  wire.on(`GET ${path}`, () => json({ items, nextCursor: null }));
}

describe('who may see it', () => {
  it('is the chat for everybody else, and nothing is asked', async () => {
    wire.on('GET api/session', () => json({ userId: 'ana', local: false, operator: false, language: 'en' }));
    open('#/operator/audit');
    expect(await screen.findByRole('textbox', { name: 'Message' })).toBeTruthy();
    expect(screen.queryByRole('link', { name: 'Operator' })).toBeNull();
    expect(wire.asked.some(({ path }) => path.includes('/admin/'))).toBe(false);
  });

  it('has an entry for operators, and says what this server does not offer', async () => {
    open('#/operator/alerts');
    expect(await screen.findByText('This server does not offer this.')).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Operator' }).getAttribute('aria-current')).toBe('page');
    expect(screen.getByRole('link', { name: 'Alerts' }).getAttribute('aria-current')).toBe('page');
  });
});

describe('traffic', () => {
  it('tells runs, latency and cost, and the same as a table', async () => {
    const bucket = {
      at: '2026-11-29T10:00:00Z',
      runs: 4,
      completed: 3,
      incomplete: 0,
      failed: 1,
      cancelled: 0,
      firstTokenMs: { p50: 320, p95: 900 },
      durationMs: { p50: 1500, p95: 4000 },
      promptTokens: 100,
      completionTokens: 20,
      cost: '0.02',
    };
    listing('api/admin/traffic', [bucket]);
    open('#/operator');
    const failed = (await screen.findByText('Failed', { selector: 'dt' })).nextElementSibling;
    expect(failed?.textContent).toBe('25%');
    const table = screen.getAllByRole('table', { hidden: true })[0];
    expect(table && within(table).getAllByRole('row', { hidden: true })[1]?.textContent).toContain('3001');
    const first = wire.calls('GET api/admin/traffic')[0];
    expect(first?.query.get('step')).toBe('hour');
    fireEvent.change(screen.getByLabelText('Time'), { target: { value: 'hour' } });
    await waitFor(() => expect(wire.calls('GET api/admin/traffic').at(-1)?.query.get('step')).toBe('minute'));
  });

  it('goes on where the server failed', async () => {
    let failing = true;
    wire.on('GET api/admin/errors', () =>
      failing ? refused(503, 'store_unavailable') : json({ items: [], nextCursor: null }),
    );
    open('#/operator/errors');
    const alert = await screen.findByRole('alert');
    failing = false;
    fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Nothing in this time.')).toBeTruthy();
  });
});

describe('runs', () => {
  it('filters, and leads to one with its timeline', async () => {
    listing('api/admin/runs', [RUN]);
    wire.on('GET api/admin/runs/:id', () =>
      json({
        ...RUN,
        timeline: [
          { kind: 'queued', at: RUN.createdAt, endAt: '2026-11-29T10:00:01Z' },
          { kind: 'attempt', at: '2026-11-29T10:00:01Z', endAt: RUN.endedAt, provider: 'openai', code: 'x' },
        ],
      }),
    );
    open('#/operator/runs');
    const link = await screen.findByRole('link', { name: /2026/ });
    expect(link.getAttribute('href')).toBe(`#/operator/runs/${RUN.id}`);
    const filters = screen.getAllByLabelText('Status').at(-1) as HTMLElement;
    fireEvent.change(filters, { target: { value: 'failed' } });
    await waitFor(() => expect(wire.calls('GET api/admin/runs').at(-1)?.query.get('status')).toBe('failed'));
    location.hash = `#/operator/runs/${RUN.id}`;
    expect(await screen.findByRole('heading', { name: 'Run …deadbeef' })).toBeTruthy();
    expect(await screen.findByText('provider_unavailable')).toBeTruthy();
    expect(screen.getByRole('row', { name: /Attempt/ }).textContent).toContain('3 sec');
  });

  it('has its moments in its own time', () => {
    const { moments, whole } = drawn({
      ...RUN,
      status: 'failed',
      timeline: [{ kind: 'attempt', at: '2026-11-29T10:00:01Z', endAt: '2026-11-29T10:00:03Z' }],
    });
    expect([moments[0]?.start, moments[0]?.end, whole]).toEqual([1000, 3000, 4000]);
  });
});

describe('limits', () => {
  it('are set as they are written, and what is empty is no limit', async () => {
    listing('api/admin/limits', [{ scope: 'user', subject: '', source: 'settings', ...OWN }]);
    wire.on('PUT api/admin/limits', ({ body }) => json(body));
    open('#/operator/limits');
    expect(await screen.findByText('every user without limits of their own')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Remove' })).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Set limits…' }));
    fireEvent.change(screen.getByLabelText('Id'), { target: { value: 'bia' } });
    fireEvent.change(screen.getByLabelText('US dollars a month'), { target: { value: '0.10' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(wire.calls('PUT api/admin/limits')).toHaveLength(1));
    expect(wire.calls('PUT api/admin/limits')[0]?.body).toEqual({
      scope: 'user',
      subject: 'bia',
      tokensPerDay: null,
      costPerMonth: '0.10',
      requestsPerMinute: null,
      runsAtOnce: null,
      sockets: null,
    });
  });

  it('says why they were refused, and keeps what was written', async () => {
    listing('api/admin/limits', []);
    wire.on('PUT api/admin/limits', () => refused(422, 'invalid_request'));
    open('#/operator/limits');
    fireEvent.click(await screen.findByRole('button', { name: 'Set limits…' }));
    fireEvent.change(screen.getByLabelText('Tokens a day'), { target: { value: '7' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect((await screen.findByRole('alert')).textContent).toBe('Refused: invalid_request.');
    expect((screen.getByLabelText('Tokens a day') as HTMLInputElement).value).toBe('7');
  });
});

describe('keys', () => {
  it('shows a new API key once', async () => {
    listing('api/admin/keys', []);
    listing('api/admin/api-keys', []);
    wire.on('POST api/admin/api-keys', () => json({ id: 'k', key: 'prosa-secret' }, 201));
    open('#/operator/keys');
    fireEvent.click(await screen.findByRole('button', { name: 'Make an API key…' }));
    fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'shop' } });
    fireEvent.change(screen.getByLabelText('User'), { target: { value: 'ana' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('prosa-secret')).toBeTruthy();
    expect(wire.calls('POST api/admin/api-keys')[0]?.body).toMatchObject({
      name: 'shop',
      userId: 'ana',
      scopes: ['chat', 'read'],
    });
    fireEvent.click(screen.getByRole('button', { name: 'Done' }));
    expect(screen.queryByText('prosa-secret')).toBeNull();
  });
});

describe('audit', () => {
  it('verifies the chain, and says where it is broken', async () => {
    listing('api/admin/audit', [
      {
        id: '1',
        at: RUN.createdAt,
        actor: 'op',
        action: 'limits.set',
        target: 'user:bia',
        details: { n: 1 },
      },
    ]);
    wire.on('GET api/admin/audit/verify', () => json({ intact: false, rows: 9, brokenAt: '5' }));
    open('#/operator/audit');
    expect((await screen.findByRole('row', { name: /limits.set/ })).textContent).toContain('n: 1');
    fireEvent.click(screen.getByRole('button', { name: 'Verify the chain' }));
    expect((await screen.findByRole('alert')).textContent).toContain('broken at 5');
  });
});

describe('figures', () => {
  it('keeps what counts of small sums', () => {
    expect(money('0.000123', 'en')).toBe('$0.000123');
    expect(money('1234.5', 'en')).toBe('$1,234.50');
    expect(money('0', 'en')).toBe('$0.00');
    expect(money(null, 'en')).toBe('–');
  });

  it('has round ticks that reach the top', () => {
    expect(ticksTo(0)).toEqual([0, 1]);
    expect(ticksTo(7)).toEqual([0, 2, 4, 6, 8]);
    for (const most of [0.003, 1, 9.99, 101, 123_456]) {
      const ticks = ticksTo(most);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
    const scale = scaleOf({ width: 300, height: 190 }, 24, 8);
    expect(scale.y(8)).toBeLessThan(scale.y(0));
    expect(labelled(24, 300).length).toBeLessThanOrEqual(3);
  });
});
