/** The events of a run as one sequence, without loss or repeat, however often the connection breaks. */
import { delay, pause } from './backoff.js';
import { asChatError, type Client } from './client.js';
import { type ChatError, unreachable } from './errors.js';
import { isEnd, type RunEvent, readEvent } from './events.js';
import { sseBlocks } from './sse.js';
import type { SendRequest } from './types.js';

/** Where to begin: with a request that starts a run, or after an event of a run that is known. */
export type Source = { readonly request: SendRequest } | { readonly runId: string; readonly after: number };

export interface StreamOptions {
  readonly signal: AbortSignal;
  /** Told `true` when the connection is lost and `false` when events arrive again. */
  readonly onConnection?: (lost: boolean) => void;
  /** The wait between attempts; tests pass one that does not wait. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Silence, in milliseconds, after which a connection counts as dead; the server pings more often. */
  readonly patience?: number;
}

/** How far the reader has come, and how often it has failed since it last heard something. */
interface Position {
  runId: string | null;
  seq: number;
  failures: number;
}

/** How a connection ended: with nothing left to read, or cut off before. */
type Ending = 'over' | { readonly retryAfter?: number | undefined };

/** A request that was never answered is sent again this often; its `clientMessageId` keeps it one run. */
const START_ATTEMPTS = 5;
const PATIENCE_MS = 35_000;

/**
 * Yields a run's events up to its `done` or `error`. It returns without either when the server has nothing
 * more to tell (the run ended and its journal is gone): the message itself then has the rest.
 * Throws the ChatError of a call that cannot succeed by being repeated.
 */
export async function* runEvents(
  client: Client,
  source: Source,
  options: StreamOptions,
): AsyncGenerator<RunEvent, void> {
  const { signal, wait = pause } = options;
  const position: Position =
    'runId' in source
      ? { runId: source.runId, seq: source.after, failures: 0 }
      : { runId: null, seq: 0, failures: 0 };
  for (;;) {
    const ending = yield* connection(client, source, position, options);
    if (ending === 'over') return;
    position.failures += 1;
    if (position.runId === null && position.failures >= START_ATTEMPTS) throw unreachable(null);
    options.onConnection?.(true);
    const ms = ending.retryAfter === undefined ? delay(position.failures - 1) : ending.retryAfter * 1000;
    // The wait rejects only when the reader has left, and that is looked at next.
    await wait(ms, signal).catch(() => {});
    if (signal.aborted) return;
  }
}

/** One connection: the events after the position, which moves with them. */
async function* connection(
  client: Client,
  source: Source,
  position: Position,
  options: StreamOptions,
): AsyncGenerator<RunEvent, Ending> {
  const line = new Line(options.signal, options.patience ?? PATIENCE_MS);
  try {
    const response = await open(client, source, position, line.signal);
    if (response.status === 204 || response.body === null) return 'over';
    for await (const event of freshEvents(client, response.body, position, line)) {
      if (position.failures > 0) options.onConnection?.(false);
      position.failures = 0;
      yield event;
      if (isEnd(event)) return 'over';
    }
    return {};
  } catch (cause) {
    if (options.signal.aborted) return 'over';
    const error = asChatError(cause);
    if (!mayRepeat(error, position)) throw error;
    return { retryAfter: error.retryAfter };
  } finally {
    line.close();
  }
}

async function* freshEvents(
  client: Client,
  body: ReadableStream<Uint8Array>,
  position: Position,
  line: Line,
): AsyncGenerator<RunEvent, void> {
  for await (const block of sseBlocks(body, () => line.alive())) {
    const event = readEvent(block.data);
    if (event === null || event.seq <= position.seq) continue;
    position.seq = event.seq;
    if (event.type === 'start') position.runId = event.runId;
    if (isEnd(event)) client.ended();
    yield event;
  }
}

function open(client: Client, source: Source, position: Position, signal: AbortSignal): Promise<Response> {
  if (position.runId !== null) return client.runEvents(position.runId, position.seq, signal);
  if ('request' in source) return client.send(source.request, signal);
  throw new TypeError('A source is a request or a run.');
}

/**
 * Before the run is known only silence is worth a repeat: an answer, even 503, is the user's to know.
 * Afterwards the run goes on without us, and every passing failure is.
 */
function mayRepeat(error: ChatError, position: Position): boolean {
  return position.runId === null ? error.status === 0 : error.passing;
}

/** Hangs up when the reader leaves, and when nothing has come for so long that the connection must be dead. */
class Line {
  readonly #controller = new AbortController();
  readonly #reader: AbortSignal;
  readonly #patience: number;
  readonly #hangUp = () => this.#controller.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(reader: AbortSignal, patience: number) {
    this.#reader = reader;
    this.#patience = patience;
    reader.addEventListener('abort', this.#hangUp);
    if (reader.aborted) this.#hangUp();
    this.alive();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#hangUp, this.#patience);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#reader.removeEventListener('abort', this.#hangUp);
  }
}
