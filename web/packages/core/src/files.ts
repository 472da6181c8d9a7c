/** Files that go with a message: how they are brought to the server, and what is known of them there. */
import type { Client } from './client.js';
import { refusal, unreachable } from './errors.js';
import type { Message } from './types.js';

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly kind: 'image' | 'document';
  /** In bytes. */
  readonly size: number;
  /** Null until a message carries it. */
  readonly conversationId: string | null;
  readonly createdAt: string;
}

/** What a message shows of a file. */
export type Attachment = Pick<StoredFile, 'id' | 'name' | 'mediaType' | 'size'>;

/** As many as the server takes with one message. */
export const MOST_ATTACHMENTS = 10;

export interface UploadOptions {
  /** Told the share that has left this side, from 0 to 1. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/** Brings a file to the server. Throws the ChatError that says why it was refused. */
export async function upload(client: Client, file: File, options: UploadOptions = {}): Promise<StoredFile> {
  const { url, headers } = await client.door('api/files');
  const body = new FormData();
  body.append('file', file, file.name);
  const { signal } = options;
  const response =
    client.ownFetch || typeof XMLHttpRequest === 'undefined'
      ? await fetched(client, url, { method: 'POST', headers, body, ...(signal ? { signal } : {}) })
      : await requested(url, headers, body, options);
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as StoredFile;
}

/** The files that a message carries. */
export function attachmentsOf(message: Pick<Message, 'parts'>): readonly Attachment[] {
  return message.parts.flatMap(part =>
    part.type === 'media' && part.fileId
      ? [
          {
            id: part.fileId,
            name: part.name ?? '',
            mediaType: part.mediaType ?? 'application/octet-stream',
            size: part.size ?? 0,
          },
        ]
      : [],
  );
}

async function fetched(client: Client, url: string, init: RequestInit): Promise<Response> {
  try {
    return await (client.ownFetch ?? fetch)(url, init);
  } catch (cause) {
    throw init.signal?.aborted ? cause : unreachable(cause);
  }
}

/** `fetch` does not tell how far an upload has come; this does. */
function requested(url: string, headers: Headers, body: FormData, options: UploadOptions): Promise<Response> {
  const { onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open('POST', url);
    headers.forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0);
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => reject(unreachable(null));
    request.onabort = () => reject(signal?.reason ?? unreachable(null));
    request.onloadend = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) return reject(signal.reason);
    request.send(body);
  });
}

function answerOf(request: XMLHttpRequest): Response {
  const after = request.getResponseHeader('Retry-After');
  return new Response(request.responseText, {
    status: request.status,
    headers: after === null ? {} : { 'Retry-After': after },
  });
}
