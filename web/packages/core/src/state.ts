/** What is known of a conversation at one moment, and every way in which that can change. */
import type { RunEvent } from './events.js';
import type { Attachment } from './files.js';
import type { Link } from './live.js';
import type { AnswerPart } from './parts.js';
import type { Conversation, Feedback, Message, WantedCall } from './types.js';

/** A message as it is shown; `localId` stays the same when the server gives it its real id. */
export interface ShownMessage extends Message {
  readonly localId?: string;
  /** The answer as its run told it here; without it, the stored `parts` are all that is known. */
  readonly told?: readonly AnswerPart[];
}

/** The run that is going on. */
export interface ActiveRun {
  /** Null until the server has said `start`. */
  readonly id: string | null;
  readonly messageId: string;
  /** The answer as far as this reader has been told it. */
  readonly parts: readonly AnswerPart[];
  /** After a reset the server says the text that stays once more; this much of it is still to come. */
  readonly repeats: string;
  /** Whether this reader has seen all of it as it happened, and so may say how long things took. */
  readonly timed: boolean;
  /** When a run that waits for somebody gives up. */
  readonly expiresAt: string | null;
  /** The place in the provider's queue, while there is one. */
  readonly place: number | null;
  readonly stopping: boolean;
  readonly reconnecting: boolean;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** What failed, and so where it is shown and what trying again means. */
  readonly at: 'open' | 'older' | 'send' | 'run' | 'stop' | 'change' | 'action';
}

/** What was refused and belongs back in the composer. */
export interface Returned {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

export interface ConversationState {
  readonly conversation: Conversation | null;
  /** The shown branch, or its end, oldest first. */
  readonly messages: readonly ShownMessage[];
  /** The cursor of the messages before these; null when these begin the conversation. */
  readonly older: string | null;
  readonly loading: boolean;
  readonly loadingOlder: boolean;
  readonly run: ActiveRun | null;
  readonly error: Failure | null;
  readonly returned: Returned | null;
  /** Whether what others do is told as they do it. */
  readonly link: Link;
  /** The id of the model that was chosen here for what is asked next; null leaves it to the conversation. */
  readonly choice: string | null;
}

export type Action =
  | { readonly type: 'opening' }
  | { readonly type: 'closed' }
  | {
      readonly type: 'opened';
      readonly conversation: Conversation;
      readonly messages: readonly Message[];
      readonly older: string | null;
    }
  | { readonly type: 'conversation'; readonly conversation: Conversation }
  | { readonly type: 'loading_older' }
  | { readonly type: 'older'; readonly messages: readonly Message[]; readonly older: string | null }
  | {
      readonly type: 'sent';
      /** How many of the shown messages the new ones follow. */
      readonly after: number;
      readonly question: ShownMessage | null;
      readonly answer: ShownMessage;
    }
  | { readonly type: 'following'; readonly runId: string; readonly messageId: string }
  | { readonly type: 'event'; readonly event: RunEvent; readonly at?: number }
  /** The server's word on which calls the run waits for. */
  | { readonly type: 'required'; readonly calls: readonly WantedCall[]; readonly expiresAt: string | null }
  | { readonly type: 'taken'; readonly callId: string }
  | { readonly type: 'chosen'; readonly model: string | null }
  | { readonly type: 'connection'; readonly lost: boolean }
  | { readonly type: 'stopping'; readonly stopping: boolean }
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'settled' }
  | { readonly type: 'returned'; readonly returned: Returned | null }
  /** What could not be sent is shown no more. */
  | { readonly type: 'undrafted' }
  | { readonly type: 'rated'; readonly messageId: string; readonly feedback: Feedback | null }
  | { readonly type: 'link'; readonly link: Link }
  /** The conversation was deleted elsewhere. */
  | { readonly type: 'deleted' }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'forgiven' };

export const EMPTY: ConversationState = {
  conversation: null,
  messages: [],
  older: null,
  loading: false,
  loadingOlder: false,
  run: null,
  error: null,
  returned: null,
  link: 'none',
  choice: null,
};
