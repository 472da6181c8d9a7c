/** What the server tells an operator, as JSON. Money is a decimal string in US dollars, times are ISO 8601. */

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
}

/** What happened from `at` on, for as long as a step; no latency where nothing ran. */
export interface Bucket {
  readonly at: string;
  /** Of the server's time zone. */
  readonly day: string;
  readonly runs: number;
  readonly completed: number;
  readonly incomplete: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  /** Those that have not ended. */
  readonly running: number;
  readonly firstTokenMs: Latency | null;
  readonly durationMs: Latency | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: string;
}

export interface Failure {
  readonly code: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly count: number;
  readonly lastAt: string;
}

export interface Spending {
  readonly requests: number;
  readonly totalTokens: number;
  readonly costExact: string;
}

export interface Usage {
  readonly since: string;
  readonly until: string;
  /** Of the server: its days are the days of the plot. */
  readonly timezone: string;
  readonly totalTokens: number;
  readonly requests: number;
  readonly costExact: string;
  readonly estimated: number;
  readonly unpriced: number;
  readonly days: readonly (Spending & { readonly day: string })[];
  readonly models: readonly (Spending & { readonly provider: string; readonly model: string })[];
  readonly users: readonly (Spending & { readonly userId: string; readonly clientId: string })[];
  readonly clients: readonly (Spending & { readonly clientId: string })[];
}

export type RunStatus =
  | 'queued'
  | 'in_progress'
  | 'requires_action'
  | 'completed'
  | 'incomplete'
  | 'failed'
  | 'cancelling'
  | 'cancelled'
  | 'expired';

export interface ListedRun {
  readonly id: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly clientId: string;
  readonly status: RunStatus;
  readonly reason: string | null;
  readonly errorCode: string | null;
  readonly provider: string;
  readonly model: string;
  readonly route: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly firstTokenMs: number | null;
  readonly durationMs: number | null;
  readonly totalTokens: number;
  readonly cost: string | null;
}

export interface Moment {
  readonly kind: string;
  readonly at: string;
  readonly endAt?: string | null;
  readonly provider?: string | null;
  readonly model?: string | null;
  readonly key?: string | null;
  readonly tokens?: number | null;
  readonly status?: string | null;
  readonly name?: string | null;
  readonly code?: string | null;
}

export interface RunInFull extends ListedRun {
  readonly timeline: readonly Moment[];
}

export type Scope = 'user' | 'client' | 'everyone';

/** null: no limit of this kind. */
export interface Allowance {
  readonly tokensPerDay: number | null;
  readonly costPerMonth: string | null;
  readonly requestsPerMinute: number | null;
  readonly runsAtOnce: number | null;
  readonly sockets: number | null;
}

/** `subject` is "" for what holds for each user or client of whom nothing else is said, kind by kind. */
export interface Limit extends Allowance {
  readonly scope: Scope;
  readonly subject: string;
  readonly source: 'settings' | 'table';
  readonly updatedAt: string | null;
  readonly updatedBy: string | null;
}

/** How one of the limits that count for somebody stands; what is left is null without a limit. */
export interface ScopeStanding {
  readonly scope: Scope;
  readonly subject: string;
  readonly limits: Allowance;
  readonly spentTokens: number;
  readonly heldTokens: number;
  readonly leftTokens: number | null;
  readonly spentCost: string;
  readonly heldCost: string;
  readonly leftCost: string | null;
  readonly runs: number;
}

export interface Standing {
  readonly userId: string;
  readonly clientId: string;
  /** What holds for the user himself. */
  readonly limits: Allowance;
  readonly scopes: readonly ScopeStanding[];
  readonly tokensResetAt: string;
  readonly costsResetAt: string;
}

export interface ProviderKey {
  readonly id: string;
  readonly provider: string;
  readonly label: string;
  readonly weight: number;
  readonly state: 'active' | 'set_aside' | 'retired';
  readonly reason: string | null;
  readonly hint: string;
  readonly use: { readonly requests: number; readonly cost: string };
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly userId: string;
  readonly clientId: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** What is told once; the last two of a key that signs embed tokens. */
export interface MadeKey {
  readonly key: string;
  readonly kid: string | null;
  readonly signingSecret: string | null;
}

export interface Suspension {
  readonly userId: string | null;
  readonly clientId: string | null;
  /** What alone is taken from them; null: everything. */
  readonly only: 'admin' | null;
  readonly reason: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface Deed {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly clientId: string;
  readonly action: string;
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Verified {
  readonly intact: boolean;
  readonly rows: number;
  readonly brokenAt: string | null;
}

export interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly message: string;
  readonly at: string;
  readonly deliveredAt: string | null;
  readonly attempts: number;
  /** Who has not got it. */
  readonly owed: readonly string[];
}
