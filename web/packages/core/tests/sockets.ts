/** A WebSocket server that exists only in a test: it hears what is said, and breaks when it is told to. */

export interface Line {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly say: (frame: object) => void;
  /** Cuts the line, or closes it with a code. */
  readonly cut: (code?: number, reason?: string) => void;
  readonly isOpen: () => boolean;
}

/** What the server does with what it hears. */
export type Heed = (line: Line, said: Record<string, unknown>) => void;

export class SocketServer {
  readonly lines: Line[] = [];
  /** Whether the next line is let in. */
  admits: () => boolean = () => true;
  heed: Heed = () => {};

  /** What takes the place of the browser's WebSocket. */
  get socket(): typeof WebSocket {
    const server = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(server, url, protocols);
      }
    } as unknown as typeof WebSocket;
  }
}

class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = FakeSocket.CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly #server: SocketServer;
  readonly #line: Line;

  constructor(server: SocketServer, url: string, protocols: string[]) {
    this.#server = server;
    this.#line = {
      url,
      protocols,
      say: frame => queueMicrotask(() => this.#hear(frame)),
      cut: (code = 1006, reason = '') => queueMicrotask(() => this.#end(code, reason)),
      isOpen: () => this.readyState === FakeSocket.OPEN,
    };
    server.lines.push(this.#line);
    queueMicrotask(() => {
      if (!server.admits()) return this.#end(1006, '');
      this.readyState = FakeSocket.OPEN;
      this.onopen?.();
    });
  }

  send(text: string): void {
    if (this.readyState !== FakeSocket.OPEN) throw new Error('The socket is not open.');
    queueMicrotask(() => this.#server.heed(this.#line, JSON.parse(text)));
  }

  close(): void {
    this.readyState = FakeSocket.CLOSED;
  }

  #hear(frame: object): void {
    if (this.readyState === FakeSocket.OPEN) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  #end(code: number, reason: string): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason });
  }
}
