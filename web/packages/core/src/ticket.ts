/** A ticket as somebody looks at it: its answer as it grows, asked anew, asked further. */
import { asChatError, type Client } from './client.js';
import { type TicketFrame, type TicketOptions, type TicketRequest, ticketFrames } from './ticketFrames.js';

/** A question that was asked after the answer, and what was said to it. */
export interface FollowUp {
  readonly message: string;
  readonly answer: string;
}

export interface TicketFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface TicketState {
  readonly answer: string;
  /** True where the answer had been given before. */
  readonly cached: boolean;
  readonly followUps: readonly FollowUp[];
  /** True while something is on its way. */
  readonly loading: boolean;
  readonly reconnecting: boolean;
  readonly error: TicketFailure | null;
}

export interface TicketSetup extends Pick<TicketOptions, 'wait' | 'patience'> {
  readonly client: Client;
  readonly ticketId: string;
}

export const NO_ANSWER: TicketState = {
  answer: '',
  cached: false,
  followUps: [],
  loading: false,
  reconnecting: false,
  error: null,
};

/** Pieces arrive far more often than it is worth drawing. */
const PIECES_INTERVAL_MS = 33;

export class Ticket {
  readonly #setup: TicketSetup;
  readonly #watchers = new Set<() => void>();
  #state = NO_ANSWER;
  #shown = NO_ANSWER;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller = new AbortController();

  constructor(setup: TicketSetup) {
    this.#setup = setup;
  }

  get state(): TicketState {
    return this.#shown;
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  };

  /** Brings the ticket's answer: the one that it has, else a new one to this body. */
  async open(ticketBody: string, model?: string): Promise<void> {
    this.#change({ ...NO_ANSWER, loading: true });
    await this.#follow({ ticketBody, ...given({ model }) }, intoAnswer);
  }

  /** Has the ticket answered anew, whatever it was answered before. */
  async refresh(ticketBody: string, model?: string): Promise<void> {
    this.#change({ ...NO_ANSWER, loading: true });
    await this.#follow({ ticketBody, refresh: true, ...given({ model }) }, intoAnswer);
  }

  /** Asks a question more in the ticket's conversation. */
  async ask(message: string, model?: string): Promise<void> {
    if (this.#state.loading || message.trim() === '') return;
    const followUps = [...this.#state.followUps, { message, answer: '' }];
    this.#change({ ...this.#state, followUps, loading: true, error: null });
    await this.#follow({ message, ...given({ model }) }, intoLastFollowUp);
  }

  /** Leaves the ticket. An answer that is being written goes on in the server. */
  close(): void {
    this.#controller.abort();
    this.#change({ ...this.#state, loading: false, reconnecting: false });
  }

  async #follow(request: TicketRequest, into: Into): Promise<void> {
    const { client, ticketId, wait, patience } = this.#setup;
    this.#controller.abort();
    const controller = new AbortController();
    this.#controller = controller;
    const onConnection = (reconnecting: boolean) => {
      if (!controller.signal.aborted) this.#change({ ...this.#state, reconnecting });
    };
    try {
      const options = { signal: controller.signal, onConnection, ...given({ wait, patience }) };
      for await (const frame of ticketFrames(client, ticketId, request, options)) {
        if (controller.signal.aborted) return;
        this.#change(told(this.#state, frame, into), frame.type === 'stream' ? 'later' : 'now');
      }
      if (!controller.signal.aborted) this.#change({ ...this.#state, loading: false });
    } catch (cause) {
      if (controller.signal.aborted) return;
      const { code, message, passing } = asChatError(cause);
      this.#fail({ code, message, retryable: passing });
    }
  }

  #fail(error: TicketFailure): void {
    this.#change({ ...this.#state, loading: false, reconnecting: false, error });
  }

  #change(state: TicketState, when: 'now' | 'later' = 'now'): void {
    this.#state = state;
    if (when === 'later') this.#timer ??= setTimeout(() => this.#tell(), PIECES_INTERVAL_MS);
    else this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#state;
    for (const watcher of this.#watchers) watcher();
  }
}

/** Where the text of a request goes. */
type Into = (state: TicketState, write: (text: string) => string) => TicketState;

const intoAnswer: Into = (state, write) => ({ ...state, answer: write(state.answer) });

const intoLastFollowUp: Into = (state, write) => {
  const last = state.followUps.at(-1);
  if (!last) return state;
  return { ...state, followUps: state.followUps.with(-1, { ...last, answer: write(last.answer) }) };
};

function told(state: TicketState, frame: TicketFrame, into: Into): TicketState {
  switch (frame.type) {
    case 'stream':
      return into(state, text => text + frame.content);
    case 'cached':
      return { ...into(state, () => frame.response), cached: true };
    case 'reset':
      return into(state, () => '');
    case 'error': {
      const { code = 'error', message, retryable = true } = frame;
      return { ...state, loading: false, reconnecting: false, error: { code, message, retryable } };
    }
    case 'done':
      return { ...state, loading: false };
  }
}

/** What is not given is left out. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
