/** What is asked of lists and of the search, and what the search finds. */
import type { Role } from './types.js';

/** Which conversations are listed. Those that are archived are left out unless they are asked for. */
export interface ConversationQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly status?: 'open' | 'closed' | undefined;
  readonly archived?: boolean | 'all' | undefined;
  readonly pinned?: boolean | undefined;
  /** Of the last change, in ISO 8601. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly clientId?: string | undefined;
  /** Words of the title. */
  readonly q?: string | undefined;
}

export interface SearchQuery {
  readonly q: string;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly role?: Role | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** A piece of a snippet; `hit` where it is what was looked for. */
export interface SnippetPiece {
  readonly text: string;
  readonly hit: boolean;
}

export interface SearchHit {
  readonly conversationId: string;
  readonly title: string | null;
  readonly messageId: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly snippet: readonly SnippetPiece[];
}
