/** The mock server's memory: conversations, their trees of messages, and the runs. */
import { randomUUID } from 'node:crypto';

export const conversations = new Map();
export const messages = new Map();
export const runs = new Map();

export function newConversation(given = {}) {
  const now = new Date().toISOString();
  const conversation = {
    id: randomUUID(),
    externalId: null,
    clientId: null,
    title: null,
    systemPrompt: null,
    provider: null,
    model: null,
    status: 'open',
    headId: null,
    metadata: {},
    pinned: false,
    archived: false,
    ticketId: null,
    ...given,
    createdAt: now,
    updatedAt: now,
  };
  conversations.set(conversation.id, conversation);
  return conversation;
}

export function newMessage(conversation, given) {
  const message = {
    id: randomUUID(),
    conversationId: conversation.id,
    role: 'user',
    content: '',
    parts: [],
    status: 'completed',
    parentId: conversation.headId,
    runId: null,
    userId: given.role === 'assistant' ? null : 'local',
    provider: null,
    model: null,
    kind: 'message',
    tokens: null,
    cachedAt: null,
    feedback: null,
    createdAt: new Date().toISOString(),
    ...given,
  };
  messages.set(message.id, message);
  conversation.headId = message.id;
  conversation.updatedAt = message.createdAt;
  return message;
}

export function children(conversationId, parentId) {
  return [...messages.values()].filter(
    message => message.conversationId === conversationId && message.parentId === parentId,
  );
}

/** The messages from the first one to the given one. */
export function branch(headId) {
  const path = [];
  for (let at = messages.get(headId); at; at = messages.get(at.parentId)) path.unshift(at);
  return path;
}

/** The newest leaf under a message. */
export function leaf(message) {
  const below = children(message.conversationId, message.id).at(-1);
  return below ? leaf(below) : message;
}

export function remove(message) {
  for (const child of children(message.conversationId, message.id)) remove(child);
  messages.delete(message.id);
  const conversation = conversations.get(message.conversationId);
  if (conversation && !messages.has(conversation.headId)) {
    const parent = messages.get(message.parentId);
    const next = parent ?? children(conversation.id, null).at(-1);
    conversation.headId = next ? leaf(next).id : null;
  }
}

export function shown(message) {
  const { conversationId, ...rest } = message;
  const siblings = children(conversationId, message.parentId).filter(other => other.role === message.role);
  return {
    ...rest,
    parts: message.parts.length > 0 ? message.parts : [{ type: 'text', text: message.content }],
    siblings: siblings.map(other => other.id),
  };
}

/** One conversation of `count` messages, to see that long ones do not stutter. */
export function fill(title, count, text, daysAgo = 0) {
  const conversation = newConversation({ title });
  for (let n = 0; n < count; n += 1) {
    const role = n % 2 ? 'assistant' : 'user';
    newMessage(conversation, {
      role,
      content: role === 'user' ? `Question ${n / 2 + 1}: how does it go on?` : text(n),
    });
  }
  conversation.updatedAt = new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1000).toISOString();
  return conversation;
}
