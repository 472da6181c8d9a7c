/** The shapes that the native JSON API speaks, as the server sends them. */

export type Role = 'user' | 'assistant' | 'system' | 'tool';

export type MessageStatus = 'in_progress' | 'completed' | 'incomplete';

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

export interface Part {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Message {
  readonly id: string;
  readonly role: Role;
  readonly content: string;
  readonly parts: readonly Part[];
  readonly status: MessageStatus;
  /** Null for a first message: the conversation itself is the root of the tree. */
  readonly parentId: string | null;
  readonly runId: string | null;
  readonly userId: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  /** The ids of the messages that stand at the same place in other branches, this one included. */
  readonly siblings: readonly string[];
  readonly createdAt: string;
}

export interface Conversation {
  readonly id: string;
  readonly externalId: string | null;
  readonly clientId: string | null;
  readonly title: string | null;
  readonly systemPrompt: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly status: 'open' | 'closed';
  readonly headId: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type NewConversation = Partial<
  Pick<Conversation, 'title' | 'externalId' | 'systemPrompt' | 'provider' | 'model' | 'metadata'>
>;

export type ConversationChange = Partial<
  Pick<Conversation, 'title' | 'status' | 'systemPrompt' | 'provider' | 'model' | 'metadata' | 'headId'>
>;

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens?: number;
  readonly reasoningTokens?: number;
}

export interface Run {
  readonly id: string;
  readonly conversationId: string;
  readonly userMessageId: string | null;
  readonly messageId: string;
  readonly status: RunStatus;
  readonly provider: string | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  /** US dollars as a decimal string; null where the model has no known price. */
  readonly cost: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

export interface Session {
  readonly userId: string;
  /** True where the server has one local user and nobody signs in or out. */
  readonly local: boolean;
  readonly language: string;
  readonly defaultProvider: string | null;
  readonly defaultModel: string | null;
}

export interface SendRequest {
  readonly conversationId: string;
  /** The user's text; absent where `regenerate` asks for another answer instead. */
  readonly content?: string;
  /** An assistant's message that is to be answered anew. */
  readonly regenerate?: string;
  /** Names the branch: the message to continue from, or null to begin at the root. */
  readonly parentId?: string | null;
  readonly provider?: string;
  readonly model?: string;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** The same id sent twice makes one run. */
  readonly clientMessageId: string;
}
