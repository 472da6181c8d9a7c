/** What a run tells while it goes on: the events of its stream, as typed values. */
import type { Usage, WantedCall } from './types.js';

interface Numbered {
  /** Counts from 1 within the run; the cursor from which a reader resumes. */
  readonly seq: number;
}

export interface StartEvent extends Numbered {
  readonly type: 'start';
  readonly runId: string;
  readonly conversationId: string;
  readonly userMessageId: string | null;
  readonly messageId: string;
}

export interface TextEvent extends Numbered {
  readonly type: 'text';
  readonly content: string;
}

export interface ThinkingEvent extends Numbered {
  readonly type: 'thinking';
  readonly text: string;
}

export interface ToolCallEvent extends Numbered {
  readonly type: 'tool_call';
  readonly id: string;
  readonly name: string;
}

export interface ToolArgumentsEvent extends Numbered {
  readonly type: 'tool_arguments';
  readonly id: string;
  readonly text: string;
}

export interface ToolResultEvent extends Numbered {
  readonly type: 'tool_result';
  readonly id: string;
  readonly status: 'completed' | 'failed' | 'denied';
  readonly result: string;
  /** True where the result was cut short for the stream; the message has all of it. */
  readonly truncated?: boolean;
}

export interface RequiresActionEvent extends Numbered {
  readonly type: 'requires_action';
  readonly calls: readonly WantedCall[];
}

export interface QueuedEvent extends Numbered {
  readonly type: 'queued';
  readonly place: number;
}

export interface ResetEvent extends Numbered {
  readonly type: 'reset';
  readonly reason: string;
}

export interface GapEvent extends Numbered {
  readonly type: 'gap';
  readonly messageId: string;
}

export interface DoneEvent extends Numbered {
  readonly type: 'done';
  readonly messageId: string;
  readonly status: string;
  readonly reason: string | null;
  readonly usage: Usage | null;
  readonly cost: string | null;
  /** The answer was kept: it had been given at `cachedAt`, and cost nothing now. */
  readonly cached?: boolean;
  readonly cachedAt?: string;
}

export interface ErrorEvent extends Numbered {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export type RunEvent =
  | StartEvent
  | TextEvent
  | ThinkingEvent
  | ToolCallEvent
  | ToolArgumentsEvent
  | ToolResultEvent
  | RequiresActionEvent
  | QueuedEvent
  | ResetEvent
  | GapEvent
  | DoneEvent
  | ErrorEvent;

/**
 * Reads one `data:` value. Text comes without a type, so that the simplest clients can read it.
 * Null for what is not an event; an event of a kind not known here is returned as it is, and its
 * readers pass over it.
 */
export function readEvent(data: string): RunEvent | null {
  try {
    return eventOf(JSON.parse(data));
  } catch {
    return null;
  }
}

/** An event out of the JSON that tells it. */
export function eventOf(value: unknown): RunEvent | null {
  if (typeof value !== 'object' || value === null || !('seq' in value)) return null;
  if (typeof value.seq !== 'number') return null;
  if ('type' in value) return value as RunEvent;
  if (!('content' in value) || typeof value.content !== 'string') return null;
  return { type: 'text', content: value.content, seq: value.seq };
}

export function isEnd(event: RunEvent): event is DoneEvent | ErrorEvent {
  return event.type === 'done' || event.type === 'error';
}
