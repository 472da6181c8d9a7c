/** The shown branch as it is fetched: a page at a time from its end, joined to what is shown already. */
import type { Client } from './client.js';
import type { Message } from './types.js';

/** Messages that follow each other, and the cursor of those before them; null where these begin the conversation. */
export interface Stretch {
  readonly messages: readonly Message[];
  readonly older: string | null;
}

/** Pages that are fetched, at most, to find where a branch leaves the one that is shown. */
const MOST_PAGES = 10;
const LARGE_PAGE = 100;

export class History {
  readonly #client: Client;
  readonly #pageSize: number;

  constructor(client: Client, pageSize: number) {
    this.#client = client;
    this.#pageSize = pageSize;
  }

  /** The page before `cursor`, or the branch's end. */
  async page(conversationId: string, cursor?: string, limit = this.#pageSize): Promise<Stretch> {
    const query = { order: 'desc' as const, limit, ...(cursor ? { cursor } : {}) };
    const { items, nextCursor } = await this.#client.listMessages(conversationId, query);
    return { messages: items.toReversed(), older: nextCursor };
  }

  /**
   * The branch as it is now, as far back as `shown` reaches where the two have their beginning in common. At least
   * `limit` messages are fetched anew.
   */
  async anew(conversationId: string, shown: Stretch, limit = this.#pageSize): Promise<Stretch> {
    const known = new Set(shown.messages.map(message => message.id));
    const isJoined = ({ messages: [first], older }: Stretch) =>
      older === null || first === undefined || known.has(first.id) || known.has(first.parentId ?? '');
    let end = await this.page(conversationId, undefined, limit);
    for (let pages = 1; pages < MOST_PAGES && known.size > 0 && !isJoined(end); pages += 1) {
      const before = await this.page(conversationId, end.older ?? undefined, LARGE_PAGE);
      end = { messages: [...before.messages, ...end.messages], older: before.older };
    }
    return joined(shown, end);
  }
}

/** What is shown up to where the new end begins, and the new end. */
export function joined(shown: Stretch, end: Stretch): Stretch {
  const [first] = end.messages;
  if (first === undefined || end.older === null) return end;
  const same = shown.messages.findIndex(message => message.id === first.id);
  const kept = same === -1 ? shown.messages.findIndex(({ id }) => id === first.parentId) + 1 : same;
  if (kept === 0) return end;
  return { messages: [...shown.messages.slice(0, kept), ...end.messages], older: shown.older };
}
