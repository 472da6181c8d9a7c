/** Begins a branch of a conversation without showing the conversation: another message at a place in its tree. */
import { asChatError, type Client } from './client.js';
import { ChatError } from './errors.js';
import { isUuid, newId } from './ids.js';
import { runEvents } from './stream.js';
import type { Message, SendRequest } from './types.js';

export interface NewBranch {
  /** A conversation's id or, where that is no UUID, a name of the caller's own for one. */
  readonly conversationId: string;
  /**
   * Where the branch leaves. Of a message of the user's the new one is another version, beside it; under an answer it
   * follows. Null begins at the root.
   */
  readonly fromMessageId: string | null;
  readonly newMessage: string;
}

/** What the branch begins with. */
export interface Branch {
  readonly conversationId: string;
  readonly runId: string;
  readonly userMessage: Message;
  /** The answer, complete or as far as it came. */
  readonly message: Message;
}

/** Sends the message and waits for its answer. The branch becomes the one that is shown. */
export async function branch(
  client: Client,
  given: NewBranch,
  settings: Partial<SendRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Branch> {
  const conversationId = await idOf(client, given.conversationId);
  const request: SendRequest = {
    ...settings,
    conversationId,
    content: given.newMessage,
    parentId: await parentOf(client, conversationId, given.fromMessageId),
    clientMessageId: newId(),
  };
  const begun = { runId: '', userMessageId: '', messageId: '' };
  for await (const event of runEvents(client, { request }, { signal })) {
    if (event.type === 'start') {
      const { runId, userMessageId, messageId } = event;
      Object.assign(begun, { runId, userMessageId, messageId });
    } else if (event.type === 'error') {
      const { code, message } = event;
      throw new ChatError({ code, message, status: 200, runId: begun.runId });
    }
  }
  if (signal.aborted) throw asChatError(signal.reason);
  const [userMessage, message] = await Promise.all([
    client.getMessage(conversationId, begun.userMessageId),
    client.getMessage(conversationId, begun.messageId),
  ]);
  return { conversationId, runId: begun.runId, userMessage, message };
}

async function idOf(client: Client, conversationId: string): Promise<string> {
  if (isUuid(conversationId)) return conversationId;
  return (await client.createConversation({ externalId: conversationId })).id;
}

async function parentOf(client: Client, conversationId: string, from: string | null): Promise<string | null> {
  if (from === null) return null;
  const { role, parentId } = await client.getMessage(conversationId, from);
  return role === 'user' ? parentId : from;
}
