/** The messages that stand in the conversation before the server has given them their ids. */
import type { Attachment } from './files.js';
import type { ShownMessage } from './state.js';
import type { Message, Part } from './types.js';

/** A question that replaces another stands beside it in the tree, and so does an answer. */
export function questionDraft(
  given: Pick<Message, 'id' | 'content' | 'parentId'> & { readonly attachments?: readonly Attachment[] },
  instead?: Message,
): ShownMessage {
  const { attachments = [], ...rest } = given;
  const parts = attachments.map(mediaPart);
  return beside(instead, { ...draft({ role: 'user', status: 'completed', ...rest }), parts });
}

export function answerDraft(id: string, parentId: string | null, instead?: Message): ShownMessage {
  return beside(instead, draft({ id, role: 'assistant', content: '', parentId, status: 'in_progress' }));
}

export function isDraft(message: ShownMessage): boolean {
  return message.localId === message.id;
}

function mediaPart({ id, name, mediaType, size }: Attachment): Part {
  return { type: 'media', fileId: id, name, mediaType, size };
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
    kind: 'message',
    tokens: null,
    cachedAt: null,
    feedback: null,
    createdAt: new Date().toISOString(),
  };
}
