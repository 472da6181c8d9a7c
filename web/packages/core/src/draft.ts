/** The messages that stand in the conversation before the server has given them their ids. */
import type { ShownMessage } from './state.js';
import type { Message } from './types.js';

export function questionDraft(id: string, content: string, parentId: string | null): ShownMessage {
  return draft({ id, role: 'user', content, parentId, status: 'completed' });
}

/** Room for an answer; one that replaces another stands beside it in the tree. */
export function answerDraft(id: string, parentId: string | null, instead?: Message): ShownMessage {
  const message = draft({ id, role: 'assistant', content: '', parentId, status: 'in_progress' });
  return instead ? { ...message, siblings: [...instead.siblings, id] } : message;
}

export function isDraft(message: ShownMessage): boolean {
  return message.localId === message.id;
}

function draft(given: Pick<Message, 'id' | 'role' | 'content' | 'parentId' | 'status'>): ShownMessage {
  return {
    ...given,
    localId: given.id,
    parts: [],
    runId: null,
    userId: null,
    provider: null,
    model: null,
    siblings: [given.id],
    createdAt: new Date().toISOString(),
  };
}
