/** A file of conversations on its way to the server, and what became of each of them. */
import type { Client } from './client.js';
import { ChatError, refusal, unreachable } from './errors.js';

export type ImportSource = 'auto' | 'prosa' | 'chatgpt' | 'claude' | 'openai';

export interface ImportProgress {
  /** Bytes that were sent. */
  readonly sent: number;
  readonly size: number;
  /** What the server has seen to so far. */
  readonly conversations: number;
  readonly messages: number;
}

export interface ImportFailure {
  /** Null where it is the file that is broken. */
  readonly id: string | null;
  readonly reason: string;
}

export interface ImportResult {
  readonly imported: number;
  /** What was there already. */
  readonly skipped: number;
  readonly messages: number;
  readonly failed: readonly ImportFailure[];
}

type Line =
  | { readonly type: 'progress'; readonly conversations: number; readonly messages: number }
  | ({ readonly type: 'done' } & ImportResult)
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** Rejects with a ChatError, or with the signal's reason. Of `fetch` nobody learns how much has been sent. */
export async function importConversations(
  client: Client,
  file: File,
  source: ImportSource,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<ImportResult> {
  const { url, headers } = await client.door('api/import', { source });
  headers.set('Content-Type', typeOf(file));
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const lines = new Lines();
    let progress: ImportProgress = { sent: 0, size: file.size, conversations: 0, messages: 0 };
    let result: ImportResult | null = null;
    const tell = (more: Partial<ImportProgress>) => {
      progress = { ...progress, ...more };
      onProgress(progress);
    };
    const heed = (line: Line) => {
      if (line.type === 'progress') {
        tell({ sent: file.size, conversations: line.conversations, messages: line.messages });
      } else if (line.type === 'done') result = line;
      else reject(new ChatError({ code: line.code, message: line.message, status: 500 }));
    };
    const read = () => {
      if (request.status === 200) for (const line of lines.read(request.responseText)) heed(line);
    };
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    request.upload.onprogress = ({ loaded }) => tell({ sent: Math.min(loaded, file.size) });
    request.onprogress = read;
    request.onload = () => {
      read();
      if (request.status !== 200) void refusal(answerOf(request)).then(reject);
      else if (result === null) reject(unreachable(null));
      else resolve(result);
    };
    request.onerror = () => reject(unreachable(null));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.open('POST', url);
    headers.forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.send(file);
  });
}

/** The lines of a text that grows; the last one may not be whole yet. */
class Lines {
  #read = 0;

  *read(text: string): Generator<Line, void> {
    for (let end = text.indexOf('\n', this.#read); end !== -1; end = text.indexOf('\n', this.#read)) {
      const line = text.slice(this.#read, end);
      this.#read = end + 1;
      if (line.trim() !== '') yield JSON.parse(line) as Line;
    }
  }
}

function typeOf({ name }: File): string {
  if (/\.zip$/i.test(name)) return 'application/zip';
  return /\.json$/i.test(name) ? 'application/json' : 'application/octet-stream';
}

function answerOf(request: XMLHttpRequest): Response {
  const { status, responseText } = request;
  const headers = new Headers();
  const waiting = request.getResponseHeader('Retry-After');
  if (waiting !== null) headers.set('Retry-After', waiting);
  return new Response(responseText, { status, headers });
}
