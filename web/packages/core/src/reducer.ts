/** The next state of a conversation, given what happened: pure, and the only place where state changes. */
import type { DoneEvent, RunEvent, StartEvent } from './events.js';
import type { Action, ActiveRun, ConversationState, ShownMessage, ToolCall } from './state.js';
import { EMPTY } from './state.js';
import type { Message } from './types.js';

export function reduce(state: ConversationState, action: Action): ConversationState {
  switch (action.type) {
    case 'opening':
      return { ...EMPTY, loading: true };
    case 'closed':
      return EMPTY;
    case 'opened': {
      const { conversation, messages, older } = action;
      return { ...EMPTY, conversation, messages: keepLocalIds(messages, state.messages), older };
    }
    case 'created':
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
      return state.run ? happened(state, state.run, action.event) : state;
    case 'connection':
      return state.run ? { ...state, run: { ...state.run, reconnecting: action.lost } } : state;
    case 'stopping':
      return state.run ? { ...state, run: { ...state.run, stopping: action.stopping } } : state;
    case 'message':
      return changeMessage(state, action.message.id, () => action.message);
    case 'settled':
      return { ...state, run: null };
    case 'returned':
      return { ...state, returned: action.content };
    case 'failed':
      return failed(state, action);
    case 'forgiven':
      return { ...state, error: null };
  }
}

function newRun(messageId: string, id: string | null = null): ActiveRun {
  return {
    id,
    messageId,
    text: '',
    thinking: '',
    tools: [],
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
  const ended = state.run ? changeMessage(stopped, state.run.messageId, asIncomplete) : stopped;
  return { ...ended, run: null };
}

function happened(state: ConversationState, run: ActiveRun, event: RunEvent): ConversationState {
  switch (event.type) {
    case 'start':
      return started(state, run, event);
    case 'text':
      return told(state, run, run.text + event.content);
    case 'reset': {
      const emptied = changeMessage(state, run.messageId, message => ({ ...message, content: '' }));
      return { ...emptied, run: { ...run, text: '', thinking: '', tools: [] } };
    }
    case 'done':
      return ended(state, run, event);
    case 'error': {
      const { code, message, retryable } = event;
      return failed(state, { type: 'failed', failure: { code, message, retryable, at: 'run' } });
    }
    default:
      return { ...state, run: progress(run, event) };
  }
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
 * A reader that joins late is told the answer from its beginning, while the stored text is already shown:
 * what is shown stays until what is told has caught up with it.
 */
function told(state: ConversationState, run: ActiveRun, text: string): ConversationState {
  const next = changeMessage(state, run.messageId, message => {
    const behind = text.length < message.content.length && message.content.startsWith(text);
    return behind ? message : { ...message, content: text };
  });
  return { ...next, run: { ...run, text, place: null } };
}

function ended(state: ConversationState, run: ActiveRun, event: DoneEvent): ConversationState {
  const status = event.status === 'completed' ? 'completed' : 'incomplete';
  const next = changeMessage(state, run.messageId, message => ({ ...message, status }));
  return { ...next, run: null };
}

function progress(run: ActiveRun, event: RunEvent): ActiveRun {
  switch (event.type) {
    case 'thinking':
      return { ...run, thinking: run.thinking + event.text, place: null };
    case 'queued':
      return { ...run, place: event.place };
    case 'tool_call': {
      const call: ToolCall = { id: event.id, name: event.name, input: '', status: 'running' };
      return { ...run, tools: [...run.tools, call], place: null };
    }
    case 'tool_arguments':
      return changeTool(run, event.id, call => ({ ...call, input: call.input + event.text }));
    case 'tool_result': {
      const status = event.status === 'completed' ? 'completed' : 'failed';
      return changeTool(run, event.id, call => ({ ...call, status }));
    }
    default:
      return run;
  }
}

function changeTool(run: ActiveRun, id: string, change: (call: ToolCall) => ToolCall): ActiveRun {
  return { ...run, tools: run.tools.map(call => (call.id === id ? change(call) : call)) };
}

function changeMessage(
  state: ConversationState,
  id: string,
  change: (message: ShownMessage) => Message,
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
  return messages.map(message => {
    const localId = localIds.get(message.id);
    return localId === undefined ? message : { ...message, localId };
  });
}
