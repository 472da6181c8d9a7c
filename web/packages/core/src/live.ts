/** A line to a conversation that tells what happens in it: a socket, else a stream of events, else none. */
import { delay, pause } from './backoff.js';
import { asChatError, type Client } from './client.js';
import { isEnd } from './events.js';
import { type FeedEvent, readTold } from './feed.js';
import { hangUp } from './socket.js';
import { sseBlocks } from './sse.js';
import { Tape } from './tape.js';

/** `none`: there never was a line, and nobody misses it. `lost`: there was one, and it is being sought. */
export type Link = 'none' | 'live' | 'lost';

export interface LiveOptions {
  readonly client: Client;
  readonly conversationId: string;
  readonly onEvent: (event: FeedEvent) => void;
  readonly onLink: (link: Link) => void;
  /** The wait between attempts; tests pass one that does not wait. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** How a connection ended: whether it ever spoke, and whether another one is worth a try. */
interface Ending {
  readonly spoke: boolean;
  readonly over: boolean;
}

const PING_MS = 20_000;
/** Silence after which a connection counts as dead; an answer to a ping breaks it. */
const PATIENCE_MS = 45_000;
/** Sockets that never spoke before the stream of events is tried instead. */
const MOST_SILENT = 2;

export class Live {
  readonly #options: LiveOptions;
  readonly #controller = new AbortController();
  readonly #tapes = new Map<string, Tape>();
  /** Hangs up the connection that there is. */
  #line = new AbortController();
  #link: Link = 'none';
  #silent = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** Keeps the line up until it is closed. */
  open(): void {
    void this.#keep();
  }

  close(): void {
    this.#controller.abort();
    this.#line.abort();
    this.#cut();
  }

  /** What is told of a run; undefined where nothing is. */
  tape(runId: string): Tape | undefined {
    return this.#tapes.get(runId);
  }

  get link(): Link {
    return this.#link;
  }

  async #keep(): Promise<void> {
    const { wait = pause } = this.#options;
    const { signal } = this.#controller;
    // A connection may seem to stand long after its network has gone.
    const drop = () => this.#line.abort();
    globalThis.addEventListener?.('offline', drop);
    for (let failures = 0; !signal.aborted; failures += 1) {
      this.#line = new AbortController();
      const ending = await this.#connection();
      this.#cut();
      if (ending.over || signal.aborted) break;
      this.#become('lost');
      if (ending.spoke) failures = 0;
      // The wait rejects only when the line was closed, and that is looked at next.
      await wait(delay(failures), signal).catch(() => {});
    }
    globalThis.removeEventListener?.('offline', drop);
    if (!signal.aborted) this.#turn('none');
  }

  async #connection(): Promise<Ending> {
    const { sockets } = this.#options.client;
    if (sockets === null || this.#silent >= MOST_SILENT) return this.#stream();
    const ending = await this.#socket(sockets).catch(() => ({ spoke: false, over: false }));
    this.#silent = ending.spoke ? 0 : this.#silent + 1;
    return ending;
  }

  async #socket(Socket: typeof WebSocket): Promise<Ending> {
    const { client, conversationId } = this.#options;
    const path = `api/websocket/conversations/${encodeURIComponent(conversationId)}`;
    const { url, protocols } = await client.socket(path);
    const { signal } = this.#line;
    if (signal.aborted) return { spoke: false, over: false };
    const socket = new Socket(url, protocols);
    return new Promise(resolve => {
      let spoke = false;
      let isOver = false;
      const pulse = new Pulse(
        () => socket.send('{"type":"ping"}'),
        () => end(),
      );
      const end = () => {
        pulse.stop();
        signal.removeEventListener('abort', end);
        hangUp(socket);
        resolve({ spoke, over: isOver });
      };
      socket.onopen = () => pulse.start();
      socket.onmessage = ({ data }) => {
        pulse.heard();
        if (!spoke) this.#turn('live');
        spoke = true;
        isOver = this.#hear(String(data));
        if (isOver) end();
      };
      socket.onclose = end;
      signal.addEventListener('abort', end);
    });
  }

  /** The same from a stream of events, which does not tell what the runs write. */
  async #stream(): Promise<Ending> {
    const { client, conversationId } = this.#options;
    let spoke = false;
    try {
      const response = await client.feed(conversationId, this.#line.signal);
      if (response.status === 204 || response.body === null) return { spoke, over: true };
      for await (const block of sseBlocks(response.body)) {
        if (!spoke) this.#turn('live');
        spoke = true;
        if (this.#hear(block.data)) return { spoke, over: true };
      }
      // A server that closes at once has nothing to tell.
      return { spoke, over: !spoke };
    } catch (cause) {
      // The server may have been away; when it is back, its sockets are tried again.
      this.#silent = 0;
      return { spoke, over: !(this.#line.signal.aborted || asChatError(cause).passing) };
    }
  }

  /** After a break anything may have happened meanwhile; where no line can be had any more, a look says why. */
  #turn(link: 'live' | 'none'): void {
    const wasLost = this.#link === 'lost';
    this.#become(link);
    if (wasLost) this.#options.onEvent({ type: 'messages' });
  }

  /** Returns whether this was the last that there is to hear. */
  #hear(data: string): boolean {
    if (this.#controller.signal.aborted) return true;
    const told = readTold(data);
    if (told === null || 'other' in told) return false;
    if ('feed' in told) {
      this.#options.onEvent(told.feed);
      return told.feed.type === 'deleted';
    }
    this.#tapeOf(told.runId).push(told.event);
    // Whoever reads the tape has hold of it; nobody comes later than this.
    if (isEnd(told.event)) {
      this.#tapes.delete(told.runId);
      this.#options.client.ended();
    }
    return false;
  }

  #tapeOf(runId: string): Tape {
    const known = this.#tapes.get(runId);
    if (known) return known;
    const tape = new Tape();
    this.#tapes.set(runId, tape);
    return tape;
  }

  #cut(): void {
    for (const tape of this.#tapes.values()) tape.cut();
    this.#tapes.clear();
  }

  #become(link: Link): void {
    // What never was there is not lost.
    if (this.#link === link || (link === 'lost' && this.#link === 'none')) return;
    this.#link = link;
    this.#options.onLink(link);
  }
}

/** Asks a socket for a sign of life, and says when there was none for too long. */
class Pulse {
  readonly #ping: () => void;
  readonly #dead: () => void;
  #heardAt = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(ping: () => void, dead: () => void) {
    this.#ping = ping;
    this.#dead = dead;
  }

  start(): void {
    this.heard();
    this.#timer = setInterval(() => {
      if (Date.now() - this.#heardAt > PATIENCE_MS) this.#dead();
      else this.#ping();
    }, PING_MS);
  }

  heard(): void {
    this.#heardAt = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
