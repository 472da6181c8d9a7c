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

/** A piece of a message, as it is stored. */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly arguments: string }
  | {
      readonly type: 'tool_result';
      readonly id: string;
      readonly name: string;
      readonly status: 'completed' | 'failed' | 'denied';
      readonly result: string;
    }
  | {
      readonly type: 'media';
      readonly mediaType: string | null;
      readonly url?: string | null;
      readonly name?: string | null;
      /** Names the file that it is, where it came as an attachment. */
      readonly fileId?: string | null;
      /** In bytes. */
      readonly size?: number | null;
    };

/** What somebody thinks of an answer. */
export interface Feedback {
  readonly thumb: 'up' | 'down' | null;
  /** From 1, the worst, to 5. */
  readonly rating: number | null;
  readonly tags: readonly string[];
  readonly comment: string | null;
}

export interface StoredFeedback extends Feedback {
  readonly updatedAt: string;
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
  /** A summary stands for the messages before it when a model is asked; they can be read all the same. */
  readonly kind: 'message' | 'summary';
  readonly tokens: number | null;
  /** When an answer that was kept had been given; null for one that was made for this message. */
  readonly cachedAt: string | null;
  readonly feedback: Feedback | null;
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
  /** Stands above the others in the list. */
  readonly pinned: boolean;
  /** Kept, but out of the list. */
  readonly archived: boolean;
  /** The caller's own id of the ticket that this conversation belongs to. */
  readonly ticketId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type NewConversation = Partial<
  Pick<Conversation, 'title' | 'externalId' | 'clientId' | 'systemPrompt' | 'provider' | 'model' | 'metadata'>
>;

export type ConversationChange = Partial<
  Pick<
    Conversation,
    'title' | 'status' | 'systemPrompt' | 'provider' | 'model' | 'metadata' | 'headId' | 'pinned' | 'archived'
  >
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

/** A call that a run waits for: its output, or leave to make it. */
export interface WantedCall {
  readonly id: string;
  readonly name: string;
  readonly needs: 'output' | 'approval';
  /** JSON; null in an event where it is too long for one. */
  readonly arguments: string | null;
}

export interface ToolOutput {
  readonly id: string;
  readonly output: string;
  readonly isError?: boolean;
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
  /** What it waits for, while its status is `requires_action`. */
  readonly requiredAction: {
    readonly calls: readonly WantedCall[];
    readonly expiresAt: string | null;
  } | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** A model that can be asked for, by its `id`. */
export interface Model {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly name: string | null;
  readonly kind: 'model' | 'route' | 'alias';
  readonly contextWindow: number;
  readonly capabilities: readonly string[];
  /** US dollars for a million tokens; null where nobody knows them. */
  readonly prices: { readonly input: string; readonly output: string | null } | null;
  /** The day (UTC) from which it is not there any more. */
  readonly shutdownAt: string | null;
  readonly successor: string | null;
  readonly default: boolean;
  readonly available: boolean;
}

/** A tool of the caller's own, as the model is told of it. */
export interface ToolForm {
  readonly name: string;
  readonly description?: string;
  /** The JSON Schema of its arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface Session {
  readonly userId: string;
  /** True where the server has one local user and nobody signs in or out. */
  readonly local: boolean;
  /** True for whoever may see and change what belongs to no user. */
  readonly operator: boolean;
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
  /** The ids of files that go with the text. */
  readonly attachments?: readonly string[];
  /** Names the branch: the message to continue from, or null to begin at the root. */
  readonly parentId?: string | null;
  readonly provider?: string;
  readonly model?: string;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
  /** Names of the server's tools, and tools of the caller's own; without it the server offers what it always does. */
  readonly tools?: readonly (string | ToolForm)[];
  /** The same id sent twice makes one run. */
  readonly clientMessageId: string;
}
