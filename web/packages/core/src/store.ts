/** Holds the state of a conversation and tells its watchers, but no more often than the eye can follow. */
import { reduce } from './reducer.js';
import { type Action, type ConversationState, EMPTY } from './state.js';

/** What is streamed in pieces arrives far more often than it is worth drawing. */
const PIECES: ReadonlySet<string> = new Set(['text', 'thinking', 'tool_arguments']);
const PIECES_INTERVAL_MS = 33;

export class Store {
  #state: ConversationState = EMPTY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #watchers = new Set<() => void>();

  get state(): ConversationState {
    return this.#state;
  }

  dispatch(action: Action): void {
    const before = this.#state;
    this.#state = reduce(before, action);
    if (this.#state === before) return;
    if (action.type === 'event' && PIECES.has(action.event.type)) {
      this.#timer ??= setTimeout(() => this.#tell(), PIECES_INTERVAL_MS);
    } else {
      this.#tell();
    }
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const watcher of this.#watchers) watcher();
  }
}
