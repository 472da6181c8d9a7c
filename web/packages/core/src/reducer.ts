/** The next state of a conversation, given what happened: pure, and the only place where state changes. */
import { isDraft } from './draft.js';
import type { DoneEvent, RunEvent, StartEvent, TextEvent } from './events.js';
import * as parts from './parts.js';
import type { Action, ActiveRun, ConversationState, Failure, ShownMessage } from './state.js';
import { EMPTY } from './state.js';
import type { Message } from './types.js';

export function reduce(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'opening':
      return { ...EMPTY, loading: true };
    case 'closed':
      return EMPTY;
    case 'opened': {
      const { conversation, older } = action;
      const { choice, link } = state;
      const messages = keepLocalIds(action.messages, state.messages);
      return { ...EMPTY, conversation, messages, older, choice, link, error: lasting(state.error) };
    }
    case 'chosen':
      return { ...state, choice: action.model };
    case 'conversation':
      return { ...state, conversation: action.conversation };
    case 'loading_older':
      return { ...state, loadingOlder: true, error: null };
    case 'older': {
      const messages = [...action.messages, ...state.messages];
      return { ...state, messages, older: action.older, loadingOlder: false };
    }
    case 'sent':
      return sent(state, action);
    case 'following':
      return { ...state, error: null, run: newRun(action.messageId, action.runId) };
    case 'event':
      return state.run ? happened(state, state.run, action.event, action.at ?? null) : state;
    case 'required': {
      if (!state.run) return state;
      const run = { ...state.run, expiresAt: action.expiresAt };
      return told(state, run, parts.required(run.parts, action.calls));
    }
    case 'taken':
      return state.run ? told(state, state.run, parts.taken(state.run.parts, action.callId)) : state;
    case 'connection':
      return state.run ? { ...state, run: reconnecting(state.run, action.lost) } : state;
    case 'stopping':
      return state.run ? { ...state, run: { ...state.run, stopping: action.stopping } } : state;
    case 'message':
      return changeMessage(state, action.message.id, () => action.message);
    case 'settled':
      return finished(state);
    case 'returned':
      return { ...state, returned: action.returned };
    case 'undrafted':
      return { ...state, messages: state.messages.filter(message => !isDraft(message)), error: null };
    case 'rated':
      return changeMessage(state, action.messageId, message => ({ ...message, feedback: action.feedback }));
    case 'link':
      return state.link === action.link ? state : { ...state, link: action.link };
    case 'deleted':
      return { ...EMPTY, error: GONE };
    case 'failed':
      return failed(state, action);
    case 'forgiven':
      return { ...state, error: null };
  }
}

/** Said in the reader's language where it is shown. */
const GONE: Failure = { code: 'deleted_elsewhere', message: '', retryable: false, at: 'open' };

/** What went wrong with a run or an action is told until somebody has read it; the rest is mended by a new list. */
function lasting(error: Failure | null): Failure | null {
  return error && ['run', 'change', 'stop', 'action'].includes(error.at) ? error : null;
}

function newRun(messageId: string, id: string | null = null): ActiveRun {
  return {
    id,
    messageId,
    parts: [],
    repeats: '',
    // A run whose id is known already began without us.
    timed: id === null,
    expiresAt: null,
    place: null,
    stopping: false,
    reconnecting: false,
  };
}

function sent(state: ConversationState, action: Extract<Action, { type: 'sent' }>): ConversationState {
  const kept = state.messages.slice(0, action.after);
  const added = action.question ? [action.question, action.answer] : [action.answer];
  return {
    ...state,
    messages: [...kept, ...added],
    run: newRun(action.answer.id),
    error: null,
    returned: null,
  };
}

function failed(
  state: ConversationState,
  { failure }: Extract<Action, { type: 'failed' }>,
): ConversationState {
  const stopped = { ...state, error: failure, loading: false, loadingOlder: false };
  if (failure.at !== 'run' && failure.at !== 'send') return stopped;
  if (!state.run) return stopped;
  return finished(changeMessage(stopped, state.run.messageId, asIncomplete));
}

function happened(
  state: ConversationState,
  run: ActiveRun,
  event: RunEvent,
  at: number | null,
): ConversationState {
  switch (event.type) {
    case 'start':
      return started(state, run, event);
    case 'reset':
      return reset(state, run);
    case 'queued':
      return { ...state, run: { ...run, place: event.place } };
    case 'done':
      return done(state, run, event);
    case 'error': {
      const { code, message, retryable } = event;
      return failed(state, { type: 'failed', failure: { code, message, retryable, at: 'run' } });
    }
    default: {
      if (event.type === 'text' && run.repeats !== '') return repeated(state, run, event);
      const next = parts.withEvent(run.parts, event, run.timed ? at : null);
      return next === run.parts ? state : told(state, { ...run, place: null }, next);
    }
  }
}

/** Forgets what was written since the last call that was made, and all that was thought of making. */
function reset(state: ConversationState, run: ActiveRun): ConversationState {
  const kept = parts.kept(run.parts);
  const next = told(state, { ...run, repeats: parts.textOf(kept) }, kept);
  return changeMessage(next, run.messageId, message => withTold(message, kept));
}

/** The text that stayed is said once more, and is not written twice. */
function repeated(state: ConversationState, run: ActiveRun, event: TextEvent): ConversationState {
  const { repeats } = run;
  const { content } = event;
  if (repeats.startsWith(content)) {
    return { ...state, run: { ...run, repeats: repeats.slice(content.length) } };
  }
  const rest = content.startsWith(repeats) ? content.slice(repeats.length) : content;
  const next = parts.withEvent(run.parts, { ...event, content: rest }, null);
  return told(state, { ...run, repeats: '' }, next);
}

/** The server has stored the question and made room for the answer: both get their real ids. */
function started(state: ConversationState, run: ActiveRun, event: StartEvent): ConversationState {
  const answer = state.messages.findIndex(message => message.id === run.messageId);
  const messages = state.messages.map((message, index): ShownMessage => {
    if (index === answer) {
      const parentId = event.userMessageId ?? message.parentId;
      return { ...renamed(message, event.messageId), parentId, runId: event.runId };
    }
    const isQuestion = index === answer - 1 && event.userMessageId !== null;
    return isQuestion ? renamed(message, event.userMessageId) : message;
  });
  return { ...state, messages, run: { ...run, id: event.runId, messageId: event.messageId } };
}

function renamed(message: ShownMessage, id: string): ShownMessage {
  if (message.id === id) return message;
  const siblings = message.siblings.map(sibling => (sibling === message.id ? id : sibling));
  return { ...message, id, siblings, localId: message.localId ?? message.id };
}

/**
 * A reader that joins late is told the answer from its beginning, while the stored one is already shown:
 * what is shown stays until what is told has caught up with it.
 */
function told(
  state: ConversationState,
  run: ActiveRun,
  next: readonly parts.AnswerPart[],
): ConversationState {
  const changed = changeMessage(state, run.messageId, message =>
    isBehind(next, message) ? message : withTold(message, next),
  );
  return { ...changed, run: { ...run, parts: next } };
}

function isBehind(next: readonly parts.AnswerPart[], message: ShownMessage): boolean {
  if (message.told !== undefined) return false;
  const text = parts.textOf(next);
  const isBeginning = message.content.startsWith(text);
  return (
    isBeginning && (text.length < message.content.length || next.length < parts.storedParts(message).length)
  );
}

function withTold(message: ShownMessage, next: readonly parts.AnswerPart[]): ShownMessage {
  return { ...message, told: next, content: parts.textOf(next) };
}

function done(state: ConversationState, run: ActiveRun, event: DoneEvent): ConversationState {
  const status = event.status === 'completed' ? 'completed' : 'incomplete';
  return finished(changeMessage(state, run.messageId, message => ({ ...message, status })));
}

/** The run is over, and with it the calls that nobody answered. */
function finished(state: ConversationState): ConversationState {
  if (!state.run) return state;
  const next = changeMessage(state, state.run.messageId, message =>
    message.told ? { ...message, told: parts.ended(message.told) } : message,
  );
  return { ...next, run: null };
}

/** Nobody can say how long a call took that went on while the line was cut. */
function reconnecting(run: ActiveRun, lost: boolean): ActiveRun {
  return lost
    ? { ...run, reconnecting: true, parts: parts.untimed(run.parts) }
    : { ...run, reconnecting: false };
}

function changeMessage(
  state: ConversationState,
  id: string,
  change: (message: ShownMessage) => ShownMessage,
): ConversationState {
  // The message that changes is nearly always the last one, and the list may be long.
  const index = state.messages.findLastIndex(message => message.id === id);
  const old = state.messages[index];
  if (!old) return state;
  const changed = change(old);
  if (changed === old) return state;
  const messages = state.messages.slice();
  messages[index] = old.localId === undefined ? changed : { ...changed, localId: old.localId };
  return { ...state, messages };
}

function asIncomplete(message: ShownMessage): ShownMessage {
  return message.status === 'in_progress' ? { ...message, status: 'incomplete' } : message;
}

/** After a reload of the list a row must stay the row it was, or focus and selection in it are lost. */
function keepLocalIds(
  messages: readonly Message[],
  before: readonly ShownMessage[],
): readonly ShownMessage[] {
  const localIds = new Map(before.map(message => [message.id, message.localId]));
  return messages.map((message: ShownMessage) => {
    const localId = localIds.get(message.id);
    return localId === message.localId || localId === undefined ? message : { ...message, localId };
  });
}
