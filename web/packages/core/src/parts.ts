/** What an answer consists of, in its order: texts, thoughts, calls of tools with what they gave, media. */
import type { RunEvent, ToolResultEvent } from './events.js';
import type { Message, MessageStatus, Part, WantedCall } from './types.js';

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

export interface ThinkingPart {
  readonly type: 'thinking';
  readonly text: string;
}

/**
 * `running`: its arguments are written, or it is being made. `waiting`: the run goes on only when somebody
 * gives what the call `needs`. `stopped`: the run ended before the call did.
 */
export type CallState = 'running' | 'waiting' | 'completed' | 'failed' | 'denied' | 'stopped';

export interface CallPart {
  readonly type: 'call';
  readonly id: string;
  readonly name: string;
  /** JSON as the model writes it; not whole while it is written. */
  readonly arguments: string;
  readonly state: CallState;
  readonly needs: WantedCall['needs'] | null;
  readonly result: string | null;
  /** True where `result` is only the beginning of it. */
  readonly truncated: boolean;
  /** When it began, in milliseconds of this reader's clock; null where this reader did not see it begin. */
  readonly began: number | null;
  /** Milliseconds from its beginning to its result; null where they are not known. */
  readonly took: number | null;
}

export interface MediaPart {
  readonly type: 'media';
  readonly mediaType: string | null;
  readonly url: string | null;
  readonly name: string | null;
  readonly fileId: string | null;
  readonly size: number | null;
}

export type AnswerPart = TextPart | ThinkingPart | CallPart | MediaPart;

export function textOf(parts: readonly AnswerPart[]): string {
  return parts.map(part => (part.type === 'text' ? part.text : '')).join('');
}

export function callsOf(parts: readonly AnswerPart[]): readonly CallPart[] {
  return parts.filter(part => part.type === 'call');
}

/** The calls that a run waits for. */
export function waitingCalls(parts: readonly AnswerPart[]): readonly CallPart[] {
  return callsOf(parts).filter(call => call.state === 'waiting');
}

/** The parts as the server stored them, each call with its result. */
export function storedParts(message: Message): readonly AnswerPart[] {
  const parts: AnswerPart[] = [];
  for (const part of message.parts) {
    const shown = storedPart(part, message.status);
    if (shown) parts.push(shown);
    else if (part.type === 'tool_result') settle(parts, part);
  }
  // A server that knows no parts tells the text alone.
  return parts.length === 0 && message.content !== '' ? [{ type: 'text', text: message.content }] : parts;
}

function storedPart(part: Part, status: MessageStatus): AnswerPart | null {
  switch (part.type) {
    case 'text':
    case 'thinking':
      return part;
    case 'tool_call': {
      const state = status === 'in_progress' ? 'running' : 'stopped';
      return { ...newCall(part.id, part.name, null), arguments: part.arguments, state };
    }
    case 'media':
      return {
        type: 'media',
        mediaType: part.mediaType,
        url: part.url ?? null,
        name: part.name ?? null,
        fileId: part.fileId ?? null,
        size: part.size ?? null,
      };
    default:
      return null;
  }
}

/** The parts after an event; the same object where it says nothing of them. `at` is null where time is not known. */
export function withEvent(
  parts: readonly AnswerPart[],
  event: RunEvent,
  at: number | null,
): readonly AnswerPart[] {
  switch (event.type) {
    case 'text':
      return grown(parts, 'text', event.content);
    case 'thinking':
      return grown(parts, 'thinking', event.text);
    case 'tool_call':
      return [...parts, newCall(event.id, event.name, at)];
    case 'tool_arguments':
      return changeCall(parts, event.id, call => ({ ...call, arguments: call.arguments + event.text }));
    case 'tool_result':
      return changeCall(parts, event.id, call => withResult(call, event, at));
    case 'requires_action':
      return required(parts, event.calls);
    default:
      return parts;
  }
}

/** Exactly these calls wait; others that did have been answered, and go on. */
export function required(parts: readonly AnswerPart[], calls: readonly WantedCall[]): readonly AnswerPart[] {
  const wanted = new Map(calls.map(call => [call.id, call]));
  return changeCalls(parts, part => {
    const call = wanted.get(part.id);
    if (call && part.result === null) return { ...part, state: 'waiting', needs: call.needs };
    return part.state === 'waiting' ? { ...part, state: 'running' } : part;
  });
}

/** The call is being seen to. */
export function taken(parts: readonly AnswerPart[], id: string): readonly AnswerPart[] {
  return changeCall(parts, id, call => (call.state === 'waiting' ? { ...call, state: 'running' } : call));
}

/** What is left when an answer begins anew: all up to the last call that has a result, since that was made. */
export function kept(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  return parts.slice(0, parts.findLastIndex(part => part.type === 'call' && part.result !== null) + 1);
}

/** A reader that was away does not know how long a call took. */
export function untimed(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  return changeCalls(parts, call => (call.took === null ? { ...call, began: null } : call));
}

/** The run has ended, and with it every call that has no result. */
export function ended(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  return changeCalls(parts, call =>
    call.state === 'running' || call.state === 'waiting' ? { ...call, state: 'stopped' } : call,
  );
}

function newCall(id: string, name: string, began: number | null): CallPart {
  return {
    type: 'call',
    id,
    name,
    arguments: '',
    state: 'running',
    needs: null,
    result: null,
    truncated: false,
    began,
    took: null,
  };
}

function settle(parts: AnswerPart[], given: Pick<ToolResultEvent, 'id' | 'status' | 'result'>): void {
  const index = parts.findLastIndex(part => part.type === 'call' && part.id === given.id);
  const call = parts[index];
  if (call?.type === 'call') parts[index] = withResult(call, given, null);
}

function withResult(
  call: CallPart,
  given: Pick<ToolResultEvent, 'status' | 'result' | 'truncated'>,
  at: number | null,
): CallPart {
  // How long somebody thought about it is nobody's business.
  const isTimed = at !== null && call.began !== null && call.needs === null;
  const took = isTimed ? at - call.began : null;
  const { status, result, truncated = false } = given;
  return { ...call, state: status, result, truncated, took };
}

/** More text stands in the part that the last text stood in. */
function grown(parts: readonly AnswerPart[], type: 'text' | 'thinking', text: string): readonly AnswerPart[] {
  const last = parts.at(-1);
  if (last?.type === type) return [...parts.slice(0, -1), { type, text: last.text + text }];
  return text === '' ? parts : [...parts, { type, text }];
}

function changeCall(
  parts: readonly AnswerPart[],
  id: string,
  change: (call: CallPart) => CallPart,
): readonly AnswerPart[] {
  return changeCalls(parts, call => (call.id === id ? change(call) : call));
}

function changeCalls(
  parts: readonly AnswerPart[],
  change: (call: CallPart) => CallPart,
): readonly AnswerPart[] {
  return parts.map(part => (part.type === 'call' ? change(part) : part));
}
