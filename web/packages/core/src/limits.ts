/** Seed 003's `checkUsageLimit`. */
import { Client } from './client.js';
import type { Usage } from './usage.js';

/** Tokens and US dollars; without one, only those of the server count. `userId` is no authority: the token is. */
export interface UsageLimits {
  readonly userId?: string | undefined;
  readonly maxTokensPerDay?: number | undefined;
  readonly maxCostPerMonth?: number | undefined;
}

/**
 * Whether the caller may send something still: something is left of these limits, and of the server's own. Days
 * and months are the server's. Asking holds nothing: a send that is more than what is left is refused still.
 */
export async function checkUsageLimit(
  { maxTokensPerDay, maxCostPerMonth }: UsageLimits = {},
  client: Pick<Client, 'getUsage'> = new Client(),
): Promise<boolean> {
  const usage = await client.getUsage();
  const { tokens, cost } = usage.remaining;
  if ((tokens !== null && tokens <= 0) || (cost !== null && Number(cost) <= 0)) return false;
  if (maxCostPerMonth !== undefined && usage.cost >= maxCostPerMonth) return false;
  return maxTokensPerDay === undefined || tokensToday(usage) < maxTokensPerDay;
}

function tokensToday({ days, timezone }: Usage): number {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: timezone }).format(new Date());
  return days.find(({ day }) => day === today)?.totalTokens ?? 0;
}
