/** What the caller has used, and what is left, as the server tells it. */

/** Sums; `cost` is a number for plots, `costExact` the same in US dollars as an exact decimal. */
export interface Spending {
  readonly requests: number;
  readonly totalTokens: number;
  readonly cost: number;
  readonly costExact: string;
}

/** What the limits leave; null without one. */
export interface Remaining {
  readonly tokens: number | null;
  readonly cost: string | null;
  readonly tokensResetAt: string | null;
  readonly costResetsAt: string | null;
  readonly scope: 'user' | 'client' | 'everyone' | null;
}

export interface Usage extends Spending {
  readonly since: string;
  readonly until: string;
  readonly timezone: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Questions and answers, as one sees them. */
  readonly messagesCount: number;
  /** How many entries have tokens that nobody reported, and how many have no known price. */
  readonly estimated: number;
  readonly unpriced: number;
  readonly remaining: Remaining;
  readonly days: readonly (Spending & { readonly day: string })[];
  readonly models: readonly (Spending & { readonly provider: string; readonly model: string })[];
  readonly providers: readonly (Spending & { readonly provider: string })[];
}

/** Moments, or days of the server's time zone (`until` is the last one); without them, this month. */
export interface UsageQuery {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** What is to be estimated: the next message of a conversation, or messages of which the last is the user's. */
export interface EstimateRequest {
  readonly content?: string;
  readonly messages?: readonly { readonly role: 'user' | 'assistant' | 'system'; readonly content: string }[];
  readonly conversationId?: string | null;
  readonly provider?: string | null;
  readonly model?: string | null;
  readonly systemPrompt?: string | null;
  readonly maxTokens?: number | null;
}

/** `cost` is the most that it can be; null where nobody knows the price. `code` says why it is not allowed. */
export interface Estimate {
  readonly provider: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly promptExact: boolean;
  readonly maxCompletionTokens: number;
  readonly totalTokens: number;
  readonly cost: number | null;
  readonly costExact: string | null;
  readonly allowed: boolean;
  readonly code: string | null;
  readonly remaining: Remaining;
}
