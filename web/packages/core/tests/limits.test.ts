/** `checkUsageLimit` goes by what the server says of today and of this month. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkUsageLimit, type Usage } from '../src/index.js';

const none = { tokens: null, cost: null, tokensResetAt: null, costResetsAt: null, scope: null };

function used(remaining: Partial<Usage['remaining']> = {}) {
  const days = [
    { day: '2026-11-28', requests: 1, totalTokens: 9_000, cost: 1, costExact: '1' },
    { day: '2026-11-29', requests: 1, totalTokens: 100, cost: 1, costExact: '1' },
  ];
  const usage = { timezone: 'America/Sao_Paulo', cost: 2, days, remaining: { ...none, ...remaining } };
  return { getUsage: async () => usage as unknown as Usage };
}

describe('checkUsageLimit', () => {
  afterEach(() => vi.useRealTimers());

  it('counts the tokens of the day of the server’s time zone and the cost of the month', async () => {
    vi.useFakeTimers({ now: new Date('2026-11-30T02:00:00Z'), toFake: ['Date'] });
    expect(await checkUsageLimit({ userId: 'ana', maxTokensPerDay: 101, maxCostPerMonth: 3 }, used())).toBe(
      true,
    );
    expect(await checkUsageLimit({ maxTokensPerDay: 100 }, used())).toBe(false);
    expect(await checkUsageLimit({ maxCostPerMonth: 2 }, used())).toBe(false);
    vi.setSystemTime(new Date('2026-11-30T04:00:00Z'));
    expect(await checkUsageLimit({ maxTokensPerDay: 1 }, used())).toBe(true);
  });

  it('heeds the limits of the server', async () => {
    expect(await checkUsageLimit({}, used())).toBe(true);
    expect(await checkUsageLimit({}, used({ tokens: 0 }))).toBe(false);
    expect(await checkUsageLimit({ maxTokensPerDay: 10 ** 9 }, used({ cost: '0' }))).toBe(false);
  });
});
