/** Conversations as a file to keep, with word of how far it has come. */
import type { Client } from './client.js';
import { unreachable } from './errors.js';

export type ExportFormat = 'json' | 'markdown' | 'html' | 'csv';

export interface ExportRequest {
  /** Without it, all conversations of the caller. */
  readonly conversationId?: string | undefined;
  readonly format: ExportFormat;
}

export interface ExportProgress {
  readonly bytes: number;
  /** How many conversations have come; null where the format does not tell. */
  readonly conversations: number | null;
  readonly total: number | null;
}

export interface ExportedFile {
  readonly name: string;
  readonly blob: Blob;
}

/** Pieces are put together as they gather, so that the browser may keep them on its disk. */
const GATHERED = 8 * 1024 * 1024;
const LINE_FEED = 10;

/** Rejects with a ChatError, or with the signal's reason. */
export async function exportConversations(
  client: Client,
  { conversationId, format }: ExportRequest,
  onProgress: (progress: ExportProgress) => void,
  signal: AbortSignal,
): Promise<ExportedFile> {
  const path =
    conversationId === undefined
      ? 'api/export'
      : `api/conversations/${encodeURIComponent(conversationId)}/export`;
  const response = await client.stream(path, { format }, signal);
  const total = numberOf(response.headers.get('X-Total-Conversations'));
  const type = response.headers.get('Content-Type') ?? 'application/octet-stream';
  const file = new Gatherer(type);
  let lines = 0;
  try {
    for await (const chunk of chunksOf(response)) {
      file.add(chunk);
      // In JSON each conversation stands in a line of its own.
      if (format === 'json') lines += countOf(chunk, LINE_FEED);
      const conversations = format === 'json' ? Math.min(lines, total ?? lines) : null;
      onProgress({ bytes: file.bytes, conversations, total });
    }
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw unreachable(cause);
  }
  return { name: nameOf(response.headers.get('Content-Disposition'), format), blob: file.blob() };
}

class Gatherer {
  readonly #type: string;
  #whole: Blob;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #loose = 0;

  constructor(type: string) {
    this.#type = type;
    this.#whole = new Blob([], { type });
  }

  get bytes(): number {
    return this.#whole.size + this.#loose;
  }

  add(piece: Uint8Array<ArrayBuffer>): void {
    this.#pieces.push(piece);
    this.#loose += piece.byteLength;
    if (this.#loose >= GATHERED) this.blob();
  }

  blob(): Blob {
    this.#whole = new Blob([this.#whole, ...this.#pieces], { type: this.#type });
    this.#pieces = [];
    this.#loose = 0;
    return this.#whole;
  }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // A body that broke has nothing left to cancel.
    await reader.cancel().catch(() => {});
  }
}

function countOf(bytes: Uint8Array, wanted: number): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) count += 1;
  return count;
}

function numberOf(header: string | null): number | null {
  return header !== null && /^\d+$/.test(header) ? Number(header) : null;
}

const SUFFIXES = { json: 'json', markdown: 'md', html: 'html', csv: 'csv' } as const;

/** The name that the server gives the file, in whichever of the two ways (RFC 6266). */
function nameOf(disposition: string | null, format: ExportFormat): string {
  const [, encoded] = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '') ?? [];
  const [, plain] = /filename="?([^";]+)"?/i.exec(disposition ?? '') ?? [];
  return (encoded && decoded(encoded)) || plain || `prosa.${SUFFIXES[format]}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
