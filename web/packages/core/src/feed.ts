/** What happens in a conversation, whoever does it: the events of its feed, as typed values. */
import { eventOf, type RunEvent } from './events.js';
import type { Conversation } from './types.js';

export type FeedEvent =
  /** Its title, its head or whatever else it has is now this. */
  | { readonly type: 'conversation'; readonly conversation: Conversation }
  /** A run has begun. */
  | {
      readonly type: 'run';
      readonly runId: string;
      readonly userMessageId: string | null;
      readonly messageId: string;
    }
  /** Messages changed without a run. */
  | { readonly type: 'messages' }
  /** The conversation is gone. */
  | { readonly type: 'deleted' };

/** An event of the feed, or of one of the conversation's runs. */
export type Told =
  | { readonly feed: FeedEvent }
  | { readonly runId: string; readonly event: RunEvent }
  /** An answer to what this side said, or a kind that is not known here. */
  | { readonly other: string };

const KINDS: ReadonlySet<string> = new Set(['conversation', 'run', 'messages', 'deleted']);

/** Reads one message of the socket, or one `data:` value of the feed's stream; null for what is neither. */
export function readTold(data: string): Told | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if ('runId' in value && typeof value.runId === 'string' && 'seq' in value) {
    const event = eventOf(value);
    return event && { runId: value.runId, event };
  }
  if (!('type' in value) || typeof value.type !== 'string') return null;
  return KINDS.has(value.type) ? { feed: value as FeedEvent } : { other: value.type };
}
