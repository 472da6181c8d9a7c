/** Where a conversation stands in a list, by the rules that the server lists by. */
import type { Conversation, ConversationQuery } from '@prosa/core';

/** Whether a list that was asked for so has the conversation in it. */
export function isListed(conversation: Conversation, query: ConversationQuery): boolean {
  const { archived = false, from, to, q } = query;
  const { updatedAt, title } = conversation;
  if (conversation.ticketId !== null) return false;
  if (archived !== 'all' && conversation.archived !== archived) return false;
  if (from !== undefined && Date.parse(updatedAt) < Date.parse(from)) return false;
  if (to !== undefined && Date.parse(updatedAt) > Date.parse(to)) return false;
  if (q !== undefined && !(title ?? '').toLowerCase().includes(q.toLowerCase())) return false;
  return EXACT.every(name => query[name] === undefined || query[name] === conversation[name]);
}

const EXACT = ['status', 'pinned', 'clientId'] as const;

/** Whether these are the provider and model that are looked for; who answered last is known to the server alone. */
export function isToAnswer(conversation: Conversation, { provider, model }: ConversationQuery): boolean {
  const isProvider = provider === undefined || provider === conversation.provider;
  return isProvider && (model === undefined || model === conversation.model);
}

/** The list with the conversation at its place, the newest change first; beyond the last known page it has none yet. */
export function placed(
  items: readonly Conversation[],
  conversation: Conversation,
  hasMore: boolean,
): readonly Conversation[] {
  const at = items.findIndex(item => item.id === conversation.id);
  if (items[at]?.updatedAt === conversation.updatedAt) return items.with(at, conversation);
  const others = without(items, conversation.id);
  const found = others.findIndex(other => isNewer(conversation, other));
  if (found === -1) return hasMore && at === -1 ? others : [...others, conversation];
  return others.toSpliced(found, 0, conversation);
}

export function without(items: readonly Conversation[], id: string): readonly Conversation[] {
  return items.some(item => item.id === id) ? items.filter(item => item.id !== id) : items;
}

function isNewer(one: Conversation, other: Conversation): boolean {
  const apart = Date.parse(one.updatedAt) - Date.parse(other.updatedAt);
  return apart === 0 ? one.id > other.id : apart > 0;
}
