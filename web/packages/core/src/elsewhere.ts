/** Shows what others do in a conversation, as soon as nothing goes on here. */
import type { FeedEvent } from './feed.js';
import type { Store } from './store.js';
import type { Conversation } from './types.js';

export interface ElsewhereOptions {
  readonly store: Store;
  /** Fetches the shown branch anew, at least `limit` messages of it. */
  readonly load: (conversationId: string, limit: number | undefined) => Promise<void>;
  /** True while there is something here that a new list would wipe out. */
  readonly isHeld: () => boolean;
  readonly onChanged: (conversation: Conversation) => void;
}

const LEAST = 20;
const LARGEST_PAGE = 200;

export class Elsewhere {
  readonly #options: ElsewhereOptions;
  readonly #store: Store;
  /** How many messages at the end may not be what they are elsewhere. */
  #stale = 0;
  /** The run that was last said to have begun; null once it was looked for. */
  #begun: string | null = null;
  #loading = false;
  /** The head that was last told while a list was on its way. */
  #head: string | null | undefined;

  constructor(options: ElsewhereOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  forget(): void {
    this.#stale = 0;
    this.#begun = null;
  }

  hear(event: FeedEvent): void {
    if (event.type === 'deleted') this.#store.dispatch({ type: 'deleted' });
    if (event.type === 'conversation') {
      this.#store.dispatch({ type: 'conversation', conversation: event.conversation });
      this.#head = event.conversation.headId;
      this.#options.onChanged(event.conversation);
    }
    if (event.type === 'run') this.#begun = event.runId;
    if (event.type === 'messages') this.#stale = Math.max(LEAST, this.#store.state.messages.length);
    this.catchUp();
  }

  catchUp(): void {
    const { conversation, run, loading } = this.#store.state;
    if (!conversation || run || loading || this.#loading) return;
    if (!this.#isBehind(conversation) || this.#options.isHeld()) return;
    const limit = Math.min(LARGEST_PAGE, this.#stale) || undefined;
    const begun = this.#begun;
    this.#stale = 0;
    this.#loading = true;
    this.#head = undefined;
    void this.#options.load(conversation.id, limit).finally(() => {
      this.#loading = false;
      // A run that is not shown now is on another branch.
      if (this.#begun === begun) this.#begun = null;
      // Another switch may have overtaken the list.
      if (this.#head !== undefined && this.#head !== headOf(this.#store)) this.#stale ||= LEAST;
      if (this.#stale > 0 || this.#begun !== null) this.catchUp();
    });
  }

  #isBehind({ headId }: Conversation): boolean {
    const { messages } = this.#store.state;
    const begun = this.#begun;
    return (
      this.#stale > 0 ||
      headId !== headOf(this.#store) ||
      (begun !== null && !messages.some(message => message.runId === begun))
    );
  }
}

/** The last message that is shown. */
function headOf({ state }: Store): string | null {
  return state.messages.at(-1)?.id ?? null;
}
