/** The messages that stand in the conversation before the server has given them their ids. */
import type { ShownMessage } from './state.js';
import type { Message } from './types.js';

/** A question that replaces another stands beside it in the tree, and so does an answer. */
export function questionDraft(
  id: string,
  content: string,
  parentId: string | null,
  instead?: Message,
): ShownMessage {
  return beside(instead, draft({ id, role: 'user', content, parentId, status: 'completed' }));
}

export function answerDraft(id: string, parentId: string | null, instead?: Message): ShownMessage {
  return beside(instead, draft({ id, role: 'assistant', content: '', parentId, status: 'in_progress' }));
}

export function isDraft(message: ShownMessage): boolean {
  return message.localId === message.id;
}

function beside(other: ShownMessage | undefined, message: ShownMessage): ShownMessage {
  // A draft was never stored: what replaces it stands alone.
  if (other === undefined || isDraft(other)) return message;
  return { ...message, siblings: [...other.siblings, message.id] };
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
