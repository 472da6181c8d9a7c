/** What a ticket's socket says, as one sequence without loss or repeat, however often the line breaks. */
import { delay, pause } from './backoff.js';
import type { Client } from './client.js';
import { ChatError, unreachable } from './errors.js';
import { newId } from './ids.js';
import { type Closing, LOST, socketMessages } from './socket.js';

/** What is asked: the ticket's answer, a new one on purpose, a question more, or the rest of a run. */
export type TicketRequest =
  | { readonly ticketBody: string; readonly refresh?: boolean; readonly model?: string | undefined }
  | { readonly message: string; readonly model?: string | undefined }
  | { readonly resume: string; readonly after: number };

interface Placed {
  readonly runId?: string;
  readonly seq?: number;
}

export type TicketFrame = Placed &
  (
    | { readonly type: 'stream'; readonly content: string }
    /** The ticket was answered before. */
    | { readonly type: 'cached'; readonly response: string; readonly message: string }
    /** The text so far is void: the answer begins anew. */
    | { readonly type: 'reset' }
    | { readonly type: 'done' }
    | {
        readonly type: 'error';
        readonly message: string;
        readonly code?: string;
        readonly retryable?: boolean;
      }
  );

export interface TicketOptions {
  readonly signal: AbortSignal;
  /** Told `true` when the line is lost and `false` when it speaks again. */
  readonly onConnection?: ((lost: boolean) => void) | undefined;
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  readonly patience?: number | undefined;
}

/** How far the reader has come, and how often the line has failed since it last spoke. */
interface Position {
  runId: string | null;
  seq: number;
  failures: number;
}

const PATIENCE_MS = 20_000;
/** A line that never said anything is tried this often: then the server is away, or does not let us in. */
const ATTEMPTS = 6;

/**
 * Yields what the server says of a ticket up to `done` or `error`. A line that breaks is opened again and takes up
 * after the last frame. Throws a ChatError where no line can be had.
 */
export async function* ticketFrames(
  client: Client,
  ticketId: string,
  request: TicketRequest,
  options: TicketOptions,
): AsyncGenerator<TicketFrame, void> {
  const { signal, wait = pause } = options;
  const position: Position = { runId: null, seq: 0, failures: 0 };
  // A request that is said again after a break must not be done twice.
  let asked: object = { ...request, clientMessageId: newId() };
  if ('resume' in request) Object.assign(position, { runId: request.resume, seq: request.after });
  while (!signal.aborted) {
    const closing = yield* line(client, ticketId, asked, position, options);
    if (closing === 'over') return;
    if (closing === 'anew' && 'ticketBody' in request) {
      yield { type: 'reset' };
      Object.assign(position, { runId: null, seq: 0 });
      const { refresh: _, ...first } = request;
      asked = first;
      continue;
    }
    position.failures += 1;
    const isHopeless = position.runId === null && position.failures >= ATTEMPTS;
    if (closing === 'anew' || isHopeless) {
      // A browser does not say why a socket was refused; a call that is refused for the same reason does.
      await client.session();
      throw unreachable(null);
    }
    options.onConnection?.(true);
    // The wait rejects only when the reader has left, and that is looked at next.
    await wait(delay(position.failures - 1), signal).catch(() => {});
  }
}

/** One line: the frames after the position, which moves with them; `anew` where the run is not known any more. */
async function* line(
  client: Client,
  ticketId: string,
  asked: object,
  position: Position,
  options: TicketOptions,
): AsyncGenerator<TicketFrame, 'over' | 'anew' | 'broken'> {
  const { runId, seq } = position;
  const messages = socketMessages({
    ...(await client.socket(`api/websocket/chat/${encodeURIComponent(ticketId)}`)),
    first: JSON.stringify(runId === null ? asked : { resume: runId, after: seq }),
    signal: options.signal,
    patience: options.patience ?? PATIENCE_MS,
    ping: JSON.stringify({ type: 'ping' }),
  });
  try {
    for (;;) {
      const { done, value } = await messages.next();
      if (done) return ending(value, options.signal);
      const frame = newFrame(value, position, options);
      if (frame === null) continue;
      if (runId !== null && isForgotten(frame)) return 'anew';
      if (isEnd(frame)) client.ended();
      yield frame;
      if (isEnd(frame)) return 'over';
    }
  } finally {
    await messages.return({ code: LOST, reason: '', opened: true });
  }
}

/** The frame that a message is, if it says something new. */
function newFrame(text: string, position: Position, { onConnection }: TicketOptions): TicketFrame | null {
  const frame = readFrame(text);
  if (frame === null || !moves(position, frame)) return null;
  if (position.failures > 0) onConnection?.(false);
  position.failures = 0;
  return frame;
}

function isForgotten(frame: TicketFrame): boolean {
  return frame.type === 'error' && frame.code === 'run_not_found';
}

function isEnd({ type }: TicketFrame): boolean {
  return type === 'done' || type === 'error';
}

/** Whether a frame says something new. */
function moves(position: Position, { runId, seq }: TicketFrame): boolean {
  if (runId !== undefined && runId !== position.runId) Object.assign(position, { runId, seq: 0 });
  if (seq === undefined) return true;
  if (seq <= position.seq) return false;
  position.seq = seq;
  return true;
}

const KNOWN: ReadonlySet<unknown> = new Set(['stream', 'cached', 'reset', 'done', 'error']);

/** Null for what is no frame, or of a kind that is not known here. */
function readFrame(text: string): TicketFrame | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('type' in value)) return null;
    return KNOWN.has(value.type) ? (value as TicketFrame) : null;
  } catch {
    return null;
  }
}

/** Codes with which a server says that another try will not do better. */
function ending({ code, reason }: Closing, signal: AbortSignal): 'over' | 'broken' {
  if (signal.aborted) return 'over';
  if (!(REFUSALS.has(code) || (code >= 4400 && code < 4500 && code !== 4429))) return 'broken';
  const message = reason || `The server closed the line (${code}).`;
  throw new ChatError({ code: `ws_${code}`, message, status: 400 });
}

const REFUSALS: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010]);
