/** The operator's view: who may see it, and what its sections show and send. */
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, refused, Wire } from '../../packages/core/tests/wire.js';
import { money } from '../src/operator/figures.js';
import { labelled, leftOf, scaleOf, ticksTo } from '../src/operator/plots/scale.js';
import { drawn } from '../src/operator/Run.js';
import { daysOf, tickOf } from '../src/operator/span.js';
import { middle } from '../src/operator/sums.js';
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
      day: '2026-11-29',
      runs: 7,
      completed: 3,
      incomplete: 0,
      failed: 1,
      cancelled: 0,
      expired: 2,
      running: 1,
      firstTokenMs: { p50: 320, p95: 900 },
      durationMs: { p50: 1500, p95: 4000 },
      promptTokens: 100,
      completionTokens: 20,
      cost: '0.02',
    };
    listing('api/admin/traffic', [bucket]);
    open('#/operator');
    const failed = (await screen.findByText('Failed', { selector: 'dt' })).nextElementSibling;
    expect(failed?.textContent).toBe('16.7%');
    const table = screen.getAllByRole('table', { hidden: true })[0];
    expect(table && within(table).getAllByRole('row', { hidden: true })[1]?.textContent).toContain('310021');
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
    const heading = await screen.findByRole('heading', { name: 'Run …deadbeef' });
    await waitFor(() => expect(document.activeElement?.contains(heading)).toBe(true));
    expect(document.activeElement).not.toBe(document.body);
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

describe('a run', () => {
  it('that is not there is not a server that lacks it', async () => {
    wire.on('GET api/admin/runs/:id', () => refused(404, 'run_not_found'));
    open(`#/operator/runs/${RUN.id}`);
    expect((await screen.findByRole('alert')).textContent).toContain('Refused: run_not_found.');
  });

  it('that goes on says so; what is told of its moments is in the reader’s words', async () => {
    const timeline = [
      { kind: 'attempt', at: RUN.createdAt, endAt: RUN.createdAt, status: 'cancelled', code: 'stopped' },
      { kind: 'flag', at: RUN.createdAt, name: 'house', status: 'input' },
      { kind: 'step', at: RUN.createdAt, name: 'weather', status: 'denied' },
    ];
    wire.on('GET api/admin/runs/:id', () => json({ ...RUN, status: 'in_progress', endedAt: null, timeline }));
    open(`#/operator/runs/${RUN.id}`);
    expect(await screen.findByText(/It has not ended/)).toBeTruthy();
    const attempt = screen.getByRole('row', { name: /Attempt/ });
    expect(attempt.textContent).toContain('Stopped · stopped');
    expect(attempt.querySelector('rect')?.getAttribute('data-bad')).toBe('false');
    expect(screen.getByRole('row', { name: /Flagged/ }).textContent).toContain('house · in the message');
    const step = screen.getByRole('row', { name: /Step/ });
    expect(step.textContent).toContain('weather · Denied');
    expect(step.querySelector('rect')?.getAttribute('data-bad')).toBe('true');
  });
});

describe('filters', () => {
  it('are asked for when they are left, and not again where nothing has changed', async () => {
    listing('api/admin/audit', []);
    open('#/operator/audit');
    const action = await screen.findByLabelText('Did');
    await waitFor(() => expect(wire.calls('GET api/admin/audit')).toHaveLength(1));
    fireEvent.blur(action);
    expect(wire.calls('GET api/admin/audit')).toHaveLength(1);
    fireEvent.change(action, { target: { value: ' limits.set ' } });
    fireEvent.change(screen.getByLabelText('From day'), { target: { value: '2026-11-01' } });
    fireEvent.blur(action);
    await waitFor(() => expect(wire.calls('GET api/admin/audit')).toHaveLength(2));
    const { query } = wire.calls('GET api/admin/audit')[1] ?? {};
    expect([query?.get('action'), query?.get('since'), query?.get('actor')]).toEqual([
      'limits.set',
      '2026-11-01',
      null,
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'Look again' }));
    await waitFor(() => expect(wire.calls('GET api/admin/audit')).toHaveLength(3));
  });
});

describe('alerts', () => {
  it('say in a sentence what happened, and whom it has not reached; more of them are read', async () => {
    const alert = {
      id: '1',
      kind: 'tokens',
      subject: 'user:ana',
      level: 80,
      message: 'user:ana has used 80 %.',
      at: RUN.createdAt,
      deliveredAt: null,
      attempts: 2,
      owed: ['webhook'],
    };
    wire.on('GET api/admin/alerts', ({ query }) =>
      json({ items: [alert, { ...alert, id: '2', owed: [] }], nextCursor: query.get('cursor') ? null : 'x' }),
    );
    open('#/operator/alerts');
    const [, first, second] = await screen.findAllByRole('row');
    expect(first?.textContent).toContain('Tokensuser:ana has used 80 %.not to webhook2');
    expect(second?.textContent).toContain('nobody is to be told');
    expect(screen.getByText('Loading…', { selector: '.app-more *' })).toBeTruthy();
  });
});

describe('suspensions', () => {
  const suspended = { clientId: null, reason: '', createdAt: RUN.createdAt, createdBy: 'op' };

  it('may take from somebody only what operators may', async () => {
    listing('api/admin/suspensions', [
      { ...suspended, userId: 'eve', only: null },
      { ...suspended, userId: 'eve', only: 'admin' },
    ]);
    wire.on('POST api/admin/suspensions', ({ body }) => json(body, 201));
    open('#/operator/people');
    const [, all, part] = await screen.findAllByRole('row', { name: /eve/ }).then(rows => [null, ...rows]);
    expect(all?.textContent).toContain('everything');
    expect(part?.textContent).toContain('what operators may');
    fireEvent.click(screen.getByRole('button', { name: 'Suspend…' }));
    const dialog = within(screen.getByRole('dialog', { name: 'Suspend' }));
    fireEvent.change(dialog.getByLabelText('Id'), { target: { value: 'bia' } });
    fireEvent.change(dialog.getByLabelText('Shut out of'), { target: { value: 'admin' } });
    fireEvent.click(dialog.getByRole('button', { name: 'Suspend' }));
    await waitFor(() => expect(wire.calls('POST api/admin/suspensions')).toHaveLength(1));
    expect(wire.calls('POST api/admin/suspensions')[0]?.body).toEqual({
      userId: 'bia',
      reason: '',
      only: 'admin',
    });
  });

  it('says that there is none to lift, where it was lifted elsewhere', async () => {
    listing('api/admin/suspensions', [{ ...suspended, userId: 'eve', only: null }]);
    wire.on('DELETE api/admin/suspensions', () => refused(404, 'suspension_not_found'));
    open('#/operator/people');
    fireEvent.click(await screen.findByRole('button', { name: 'Lift: User eve' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Refused: suspension_not_found.');
  });
});

describe('limits of a user', () => {
  it('are told as they are, to the last digit, and how a user stands', async () => {
    listing('api/admin/limits', [
      { scope: 'user', subject: 'ana', source: 'table', ...OWN, tokensPerDay: 1_234_567 },
    ]);
    const scope = {
      scope: 'user',
      subject: 'ana',
      limits: OWN,
      spentTokens: 300,
      heldTokens: 40,
      leftTokens: 1_234_227,
      spentCost: '0.5',
      heldCost: '0',
      leftCost: null,
      runs: 1,
    };
    wire.on('GET api/admin/limits/standing', () =>
      json({
        userId: 'ana',
        clientId: '',
        limits: OWN,
        scopes: [scope],
        tokensResetAt: RUN.createdAt,
        costsResetAt: RUN.createdAt,
      }),
    );
    open('#/operator/limits');
    expect((await screen.findByRole('row', { name: /ana/ })).textContent).toContain('1,234,567');
    expect(screen.getByRole('button', { name: 'Edit: User ana' })).toBeTruthy();
    fireEvent.change(screen.getByLabelText('User'), { target: { value: ' ana ' } });
    fireEvent.click(screen.getByRole('button', { name: 'Show' }));
    const row = await screen.findByRole('row', { name: /1,234,227/ });
    expect(row.textContent).toBe('User ana300401,234,227$0.50$0.00no limit1 / 3');
    const [asked] = wire.calls('GET api/admin/limits/standing');
    expect([asked?.query.get('userId'), asked?.query.get('clientId')]).toEqual(['ana', null]);
  });

  it('are set as they are written, and what is empty is no limit', async () => {
    listing('api/admin/limits', [{ scope: 'user', subject: '', source: 'settings', ...OWN }]);
    wire.on('PUT api/admin/limits', ({ body }) => json(body));
    open('#/operator/limits');
    expect(await screen.findByText('each user')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /^(Edit|Remove)/ })).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Set limits…' }));
    fireEvent.change(screen.getByLabelText('Id'), { target: { value: 'bia' } });
    // Of a user without a limit of his own, what holds for each holds: empty is not without limit.
    expect(screen.queryByPlaceholderText('no limit')).toBeNull();
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
  it('of providers have a weight', async () => {
    listing('api/admin/api-keys', []);
    listing('api/admin/keys', []);
    wire.on('POST api/admin/keys', ({ body }) => json(body, 201));
    open('#/operator/keys');
    fireEvent.click(await screen.findByRole('button', { name: 'Add a key…' }));
    const dialog = within(screen.getByRole('dialog', { name: 'Add a key' }));
    fireEvent.change(dialog.getByLabelText('Provider'), { target: { value: 'openai' } });
    fireEvent.change(dialog.getByLabelText('Weight'), { target: { value: '3' } });
    fireEvent.change(dialog.getByLabelText('Key'), { target: { value: 'sk-1' } });
    fireEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(wire.calls('POST api/admin/keys')).toHaveLength(1));
    expect(wire.calls('POST api/admin/keys')[0]?.body).toEqual({
      provider: 'openai',
      label: '',
      key: 'sk-1',
      weight: 3,
    });
  });

  it('shows a new API key once', async () => {
    listing('api/admin/keys', []);
    listing('api/admin/api-keys', []);
    wire.on('POST api/admin/api-keys', () =>
      json({ id: 'k', key: 'prosa-secret', kid: null, signingSecret: null }, 201),
    );
    open('#/operator/keys');
    fireEvent.click(await screen.findByRole('button', { name: 'Make an API key…' }));
    fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'shop' } });
    fireEvent.change(screen.getByLabelText('User'), { target: { value: 'ana' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('prosa-secret')).toBeTruthy();
    expect(wire.calls('POST api/admin/api-keys')[0]?.body).toMatchObject({
      name: 'shop',
      userId: 'ana',
      clientId: null,
      scopes: ['chat'],
    });
    fireEvent.click(screen.getByRole('button', { name: 'Done' }));
    expect(screen.queryByText('prosa-secret')).toBeNull();
  });
});

describe('a key that signs embed tokens', () => {
  it('is shown with its kid and its secret, and Escape does not lose them', async () => {
    listing('api/admin/keys', []);
    listing('api/admin/api-keys', []);
    wire.on('POST api/admin/api-keys', () =>
      json({ id: 'k', key: 'prosa-k', kid: 'the-kid', signingSecret: 'the-secret' }, 201),
    );
    open('#/operator/keys');
    fireEvent.click(await screen.findByRole('button', { name: 'Make an API key…' }));
    fireEvent.change(screen.getByLabelText('Name'), { target: { value: 'host' } });
    fireEvent.change(screen.getByLabelText('User'), { target: { value: 'ana' } });
    fireEvent.change(screen.getByLabelText('Client, if any'), { target: { value: 'acme' } });
    fireEvent.click(screen.getByRole('checkbox', { name: /^chat/ }));
    fireEvent.click(screen.getByRole('checkbox', { name: /^embed/ }));
    fireEvent.click(screen.getByRole('button', { name: 'Save' }));
    expect(await screen.findByText('the-kid')).toBeTruthy();
    expect(screen.getByText('the-secret')).toBeTruthy();
    expect(wire.calls('POST api/admin/api-keys')[0]?.body).toMatchObject({
      clientId: 'acme',
      scopes: ['embed'],
    });
    const cancel = new Event('cancel', { cancelable: true });
    fireEvent(await screen.findByRole('dialog', { name: 'API keys' }), cancel);
    expect(cancel.defaultPrevented).toBe(true);
    expect(fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' })).toBe(false);
  });

  it('can’t be revoked once it has ended', async () => {
    listing('api/admin/keys', []);
    const key = { id: 'k', name: 'old', hint: 'abcd', scopes: ['chat'], userId: 'ana', clientId: null };
    const times = { createdAt: RUN.createdAt, lastUsedAt: null, revokedAt: null };
    listing('api/admin/api-keys', [{ ...key, ...times, expiresAt: '2020-01-01T00:00:00Z' }]);
    open('#/operator/keys');
    expect((await screen.findByRole('row', { name: /old/ })).textContent).toContain('Ended');
    expect(screen.queryByRole('button', { name: /Revoke/ })).toBeNull();
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
        details: { n: 1, only: null, cost_per_month: 12_500_000_000_000, since: 1_793_369_483_956_000 },
      },
    ]);
    wire.on('GET api/admin/audit/verify', () => json({ intact: false, rows: 9, brokenAt: '5' }));
    open('#/operator/audit');
    expect((await screen.findByRole('row', { name: /limits.set/ })).textContent).toMatch(
      /n: 1, cost_per_month: \$12.50, since: .*2026/,
    );
    fireEvent.click(screen.getByRole('button', { name: 'Verify the chain' }));
    expect((await screen.findByRole('alert')).textContent).toContain('broken at 5');
  });
});

describe('figures', () => {
  it('keeps what counts of small sums', () => {
    expect(money('0.000123', 'en')).toBe('$0.000123');
    expect(money('1234.5', 'en')).toBe('$1,234.50');
    expect(money('0.5', 'en')).toBe('$0.50');
    expect(money('0.5', 'pt-BR')).toMatch(/^US\$\s0,50$/);
    expect(money('0', 'en')).toBe('$0.00');
    expect(money(null, 'en')).toBe('–');
  });

  it('counts a median as often as there were runs', () => {
    const measured = [
      { value: 9000, weight: 1 },
      { value: 100, weight: 90 },
      { value: 8000, weight: 1 },
      { value: null, weight: 500 },
    ];
    expect(middle(measured)).toBe(100);
    expect(middle([])).toBeNull();
  });

  it('has the days of the server, where they are other ones', () => {
    expect(daysOf('2026-11-28T01:00:00Z', '2026-11-29T01:00:00Z', 'America/Sao_Paulo')).toEqual([
      '2026-11-27',
      '2026-11-28',
    ]);
    expect(daysOf('2026-11-28T01:00:00Z', '2026-11-29T01:00:00Z', 'Nowhere/Unknown')).toHaveLength(2);
    expect(tickOf({ at: '2026-11-28T15:00:00Z', day: '2026-11-29' }, 'day', 'en')).toBe('Nov 29');
  });

  it('leaves as much room as its numbers take', () => {
    expect(leftOf(['US$ 0,0015', '0'])).toBeGreaterThan(leftOf(['5']) + 50);
  });

  it('has round ticks that reach the top', () => {
    expect(ticksTo(0)).toEqual([0, 1]);
    expect(ticksTo(7)).toEqual([0, 2, 4, 6, 8]);
    for (const most of [0.003, 1, 9.99, 101, 123_456]) {
      const ticks = ticksTo(most);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
    const scale = scaleOf({ width: 300, height: 190, left: 40 }, 24, 8);
    expect(scale.y(8)).toBeLessThan(scale.y(0));
    expect(labelled(24, 300, 40).length).toBeLessThanOrEqual(3);
  });
});
