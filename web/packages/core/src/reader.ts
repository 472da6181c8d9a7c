/** Reads the run that goes on: its events become state, and what they ask for is done. */
import { defined } from './asking.js';
import type { Client } from './client.js';
import { isEnd, type RunEvent, type StartEvent } from './events.js';
import { callsOf } from './parts.js';
import type { Stay } from './stay.js';
import type { Store } from './store.js';
import { runEvents, type Source, type StreamOptions } from './stream.js';
import type { WantedCall } from './types.js';

export interface ReaderOptions {
  readonly client: Client;
  readonly store: Store;
  readonly wait?: StreamOptions['wait'];
  /** The run has begun; `isStopping` where it was to be stopped before it had an id. */
  readonly onStart: (event: StartEvent, isStopping: boolean) => Promise<void>;
  /** The run waits for these calls. The stream goes on meanwhile: it tells what others bring. */
  readonly onRequired: (calls: readonly WantedCall[]) => void;
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #client: Client;
  readonly #store: Store;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#store = options.store;
  }

  /** Reads a run's events until it ends or the stay does. Throws the ChatError of what cannot be read on. */
  async follow(source: Source, stay: Stay): Promise<void> {
    let ended = false;
    for await (const event of this.#events(source, stay)) {
      if (stay.left) return stay.controller.abort();
      await this.#take(event);
      ended = isEnd(event);
    }
    if (!(ended || stay.left)) await this.settle();
  }

  /** The stream has no more to tell, or lost a part: the stored message has all there is. */
  async settle(): Promise<void> {
    const { conversation, run } = this.#store.state;
    if (!(conversation && run)) return;
    const message = await this.#client.getMessage(conversation.id, run.messageId);
    this.#store.dispatch({ type: 'message', message });
    if (message.status !== 'in_progress') this.#store.dispatch({ type: 'settled' });
  }

  /** From the live line as far as it goes, and from the run's own stream where it does not. */
  async *#events(source: Source, stay: Stay): AsyncGenerator<RunEvent, void> {
    const { signal } = stay.controller;
    let from = source;
    if ('runId' in source) {
      const { runId } = source;
      let seq = source.after;
      const tape = stay.live?.tape(runId);
      if (tape?.joins(seq)) {
        for await (const event of tape.after(seq, signal)) {
          seq = event.seq;
          yield event;
          if (isEnd(event)) return;
        }
        if (signal.aborted) return;
      }
      from = { runId, after: seq };
    }
    const onConnection = (lost: boolean) => {
      if (!stay.left) this.#store.dispatch({ type: 'connection', lost });
    };
    const { wait } = this.#options;
    yield* runEvents(this.#client, from, { signal, onConnection, ...defined({ wait }) });
  }

  async #take(event: RunEvent): Promise<void> {
    const isStopping = this.#store.state.run?.stopping ?? false;
    this.#store.dispatch({ type: 'event', event, at: Date.now() });
    if (event.type === 'start') await this.#options.onStart(event, isStopping);
    else if (event.type === 'gap') await this.settle();
    else if (event.type === 'requires_action') this.#options.onRequired(event.calls);
    else if (event.type === 'done') await this.#complete(event.messageId);
  }

  /** Results that were too long for the stream are in the message. */
  async #complete(messageId: string): Promise<void> {
    const { conversation, messages } = this.#store.state;
    const told = messages.findLast(({ id }) => id === messageId)?.told ?? [];
    if (!(conversation && callsOf(told).some(call => call.truncated))) return;
    const message = await this.#client.getMessage(conversation.id, messageId).catch(() => null);
    // Where it can't be fetched, the beginnings of the results stay.
    if (message) this.#store.dispatch({ type: 'message', message });
  }
}
