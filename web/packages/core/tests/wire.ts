/** A server that exists only in a test: it answers `fetch` from a script and remembers what it was asked. */
import { Client, type ClientOptions } from '../src/index.js';
import type { Conversation, Message } from '../src/types.js';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  readonly form: FormData | null;
}

type Handler = (asked: Asked, match: RegExpExecArray) => Response | Promise<Response>;

export class Wire {
  readonly asked: Asked[] = [];
  readonly #routes: { method: string; path: RegExp; handler: Handler }[] = [];

  /** Later routes come before earlier ones, so that a test can say what is different in it. */
  on(route: string, handler: Handler): this {
    const [method = '', path = ''] = route.split(' ');
    this.#routes.unshift({ method, path: new RegExp(`^/${path.replace(/:\w+/g, '([^/]+)')}$`), handler });
    return this;
  }

  client(options: Partial<ClientOptions> = {}): Client {
    return new Client({ baseUrl: 'http://prosa.test/', fetch: this.fetch, language: 'en', ...options });
  }

  /** What was asked of one kind, such as `POST api/chat/send`. */
  calls(route: string): Asked[] {
    return this.asked.filter(({ method, path }) => route === `${method} ${path.slice(1)}`);
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    const asked: Asked = {
      method: init.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : {},
      form: init.body instanceof FormData ? init.body : null,
    };
    this.asked.push(asked);
    for (const { method, path, handler } of this.#routes) {
      const match = path.exec(asked.path);
      if (match && method === asked.method) return handler(asked, match);
    }
    return refused(404, 'not_found');
  };
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

export function refused(status: number, code: string, more: Record<string, unknown> = {}): Response {
  return json({ success: false, code, message: `Refused: ${code}.`, ...more }, status);
}

export function block(event: unknown): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** A stream of whole events; with `cut` the connection breaks after them instead of ending. */
export function stream(events: readonly unknown[], { cut = false } = {}): Response {
  const chunks = events.map(block);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks.shift();
      if (next !== undefined) controller.enqueue(new TextEncoder().encode(next));
      else if (cut) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

/** A stream that the test feeds by hand. */
export function openStream(): {
  readonly response: Response;
  readonly tell: (event: unknown) => void;
  readonly end: () => void;
} {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      feed = controller;
    },
  });
  return {
    response: new Response(body),
    tell: event => feed?.enqueue(new TextEncoder().encode(block(event))),
    end: () => feed?.close(),
  };
}

export const CONVERSATION_ID = '00000000-0000-7000-8000-000000000001';

export function conversation(given: Partial<Conversation> = {}): Conversation {
  return {
    id: CONVERSATION_ID,
    externalId: null,
    clientId: null,
    title: 'A talk',
    systemPrompt: null,
    provider: null,
    model: null,
    status: 'open',
    headId: null,
    metadata: {},
    pinned: false,
    archived: false,
    ticketId: null,
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    ...given,
  };
}

export function message(id: string, given: Partial<Message> = {}): Message {
  return {
    id,
    role: 'user',
    content: `Text of ${id}`,
    parts: [],
    status: 'completed',
    parentId: null,
    runId: null,
    userId: null,
    provider: null,
    model: null,
    siblings: [id],
    kind: 'message',
    tokens: null,
    cachedAt: null,
    feedback: null,
    createdAt: '2026-01-01T00:00:00Z',
    ...given,
  };
}

/** A run's events, numbered: it starts, says the pieces, and is done. */
export function run(pieces: readonly string[], given: { question?: string; answer?: string } = {}) {
  const { question = 'u1', answer = 'a1' } = given;
  const start = {
    type: 'start',
    runId: 'r1',
    conversationId: CONVERSATION_ID,
    userMessageId: question,
    messageId: answer,
    seq: 1,
  };
  const texts = pieces.map((content, index) => ({ content, seq: index + 2 }));
  const seq = pieces.length + 2;
  const done = {
    type: 'done',
    messageId: answer,
    status: 'completed',
    reason: 'stop',
    usage: null,
    cost: '0',
    seq,
  };
  return [start, ...texts, done];
}

/** A socket that the test holds the other end of. */
export class FakeSocket {
  static readonly all: FakeSocket[] = [];
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { readonly data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  isClosed = false;
  readyState: number = WebSocket.OPEN;

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  /** As what a client takes. */
  static get constructorOf(): typeof WebSocket {
    return FakeSocket as unknown as typeof WebSocket;
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('No socket was opened.');
    return socket;
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  tell(...messages: readonly unknown[]): void {
    for (const each of messages) this.onmessage?.({ data: JSON.stringify(each) });
  }

  /** The connection breaks. */
  break(): void {
    this.onclose?.();
  }
}
