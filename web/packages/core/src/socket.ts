/** A WebSocket as the sequence of its messages, which ends with why it was closed. */

/** How a socket ended: the code that it was closed with, and whether it was ever open. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
  readonly opened: boolean;
}

export interface SocketOptions {
  readonly url: string;
  readonly protocols: readonly string[];
  /** What is said as soon as the socket is open. */
  readonly first: string;
  readonly signal: AbortSignal;
  /** Silence, in milliseconds, after which the line is asked for a sign of life, and as long again until it is cut. */
  readonly patience: number;
  readonly ping: string;
}

/** Yields each text message until the socket is closed. Leaving the loop closes it. */
export async function* socketMessages(options: SocketOptions): AsyncGenerator<string, Closing> {
  const { url, protocols, first, signal } = options;
  const socket = new WebSocket(url, [...protocols]);
  const inbox: string[] = [];
  let closing: Closing | null = null;
  let opened = false;
  let wake = () => {};

  const watch = new Watch(options.patience, {
    ask: () => socket.readyState === WebSocket.OPEN && socket.send(options.ping),
    // A line that is dead may take minutes to say goodbye.
    cut: () => end({ code: LOST, reason: '', opened }),
  });
  const end = (how: Closing) => {
    closing ??= how;
    wake();
  };
  const leave = () => end({ code: LOST, reason: '', opened });
  socket.onopen = () => {
    opened = true;
    watch.alive();
    socket.send(first);
  };
  socket.onmessage = ({ data }: MessageEvent) => {
    watch.alive();
    if (typeof data === 'string') inbox.push(data);
    wake();
  };
  socket.onclose = ({ code, reason }) => end({ code, reason, opened });
  // What a page's policy forbids ends in an error alone; elsewhere the closing, which says more, comes with it.
  socket.onerror = () => setTimeout(leave);
  signal.addEventListener('abort', leave);
  try {
    while (!signal.aborted) {
      const next = inbox.shift();
      if (next !== undefined) yield next;
      else if (closing !== null) return closing;
      else
        await new Promise<void>(resolve => {
          wake = resolve;
        });
    }
    return { code: LOST, reason: '', opened };
  } finally {
    watch.end();
    signal.removeEventListener('abort', leave);
    hangUp(socket);
  }
}

/** What a browser says of a line that broke. */
export const LOST = 1006;

/** A socket that is closed before it is open makes browsers complain; it is let in, and then closed. */
export function hangUp(socket: WebSocket): void {
  socket.onmessage = null;
  socket.onclose = null;
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
  else socket.close();
}

/** Asks after a silence whether anybody is there, and gives up after another. */
class Watch {
  readonly #patience: number;
  readonly #acts: { readonly ask: () => void; readonly cut: () => void };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(patience: number, acts: { readonly ask: () => void; readonly cut: () => void }) {
    this.#patience = patience;
    this.#acts = acts;
    this.alive();
  }

  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#acts.ask();
      this.#timer = setTimeout(this.#acts.cut, this.#patience);
    }, this.#patience);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
