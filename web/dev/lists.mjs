/** The mock server's lists: which conversations are asked for, and what the search finds. */
import * as tree from './tree.mjs';

/** The conversations that a query asks for, newest change first. */
export function listed(query) {
  const wanted = Object.fromEntries(query);
  return [...tree.conversations.values()]
    .filter(conversation => isWanted(conversation, wanted))
    .sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
}

function isWanted(conversation, { archived = 'false', pinned, status, from, to, q, model, clientId }) {
  const { updatedAt } = conversation;
  return (
    conversation.ticketId === null &&
    (archived === 'all' || String(conversation.archived) === archived) &&
    (pinned === undefined || String(conversation.pinned) === pinned) &&
    (status === undefined || conversation.status === status) &&
    (from === undefined || updatedAt >= from) &&
    (to === undefined || updatedAt <= to) &&
    (model === undefined || conversation.model === model) &&
    (clientId === undefined || conversation.clientId === clientId) &&
    (q === undefined || (conversation.title ?? '').toLowerCase().includes(q.toLowerCase()))
  );
}

/** The messages that have all of the words, newest first, with the words marked in a piece of each. */
export function found(query) {
  const words = (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return [...tree.messages.values()]
    .filter(({ content }) => words.length > 0 && words.every(word => content.toLowerCase().includes(word)))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .map(message => ({
      conversationId: message.conversationId,
      title: tree.conversations.get(message.conversationId)?.title ?? null,
      messageId: message.id,
      role: message.role,
      createdAt: message.createdAt,
      snippet: snippet(message.content, words),
    }));
}

const AROUND = 60;

function snippet(content, words) {
  const at = content.toLowerCase().indexOf(words[0]);
  const from = Math.max(0, at - AROUND);
  const text = content.slice(from, at + words[0].length + AROUND).replace(/\s+/g, ' ');
  const pattern = words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return text
    .split(new RegExp(`(${pattern})`, 'gi'))
    .map((piece, index) => ({ text: piece, hit: index % 2 === 1 }))
    .filter(piece => piece.text !== '');
}
