/** Conversations on their way out and in, with word of how far they have come. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ExportProgress,
  exportConversations,
  type ImportProgress,
  importConversations,
} from '../src/index.js';
import { refused, Wire } from './wire.js';

const { signal } = new AbortController();

function stream(chunks: readonly string[], headers: Record<string, string>, cut = false): Response {
  const left = chunks.map(chunk => new TextEncoder().encode(chunk));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift();
      if (next) controller.enqueue(next);
      else if (cut) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
  return new Response(body, { headers });
}

describe('export', () => {
  const CHUNKS = ['{"conversations":[\n{"id":1}', ',\n{"id"', ':2},\n{"id":3}', '\n]}\n'];
  const HEADERS = {
    'Content-Type': 'application/json',
    'Content-Disposition': `attachment; filename="prosa-c.json"; filename*=UTF-8''prosa-%C3%A7.json`,
    'X-Total-Conversations': '3',
  };

  it('keeps all bytes and counts them, and the conversations', async () => {
    const wire = new Wire().on('GET api/export', () => stream(CHUNKS, HEADERS));
    const told: ExportProgress[] = [];
    const file = await exportConversations(
      wire.client(),
      { format: 'json' },
      each => void told.push(each),
      signal,
    );
    expect(file.name).toBe('prosa-ç.json');
    expect(await file.blob.text()).toBe(CHUNKS.join(''));
    expect(told.map(each => each.conversations)).toEqual([1, 2, 3, 3]);
    expect(told.at(-1)).toEqual({ bytes: CHUNKS.join('').length, conversations: 3, total: 3 });
    expect(wire.asked[0]?.query.get('format')).toBe('json');
  });

  it('asks for one conversation, in a format that does not count', async () => {
    const wire = new Wire().on('GET api/conversations/:id/export', () => stream(['a\n', 'b\n'], {}));
    const told: ExportProgress[] = [];
    const request = { format: 'csv', conversationId: 'x' } as const;
    const file = await exportConversations(wire.client(), request, each => void told.push(each), signal);
    expect(file.name).toBe('prosa.csv');
    expect(told.at(-1)).toEqual({ bytes: 4, conversations: null, total: null });
  });

  it('does not take a part for the whole', async () => {
    const wire = new Wire().on('GET api/export', () => stream(CHUNKS.slice(0, 2), HEADERS, true));
    const exporting = exportConversations(wire.client(), { format: 'json' }, () => {}, signal);
    await expect(exporting).rejects.toMatchObject({ code: 'network' });
    wire.on('GET api/export', () => refused(429, 'too_many'));
    const again = exportConversations(wire.client(), { format: 'json' }, () => {}, signal);
    await expect(again).rejects.toMatchObject({ code: 'too_many' });
  });
});

describe('import', () => {
  /** What a browser's request would do, by hand. */
  class Request {
    static last: Request | undefined;
    status = 0;
    responseText = '';
    method = '';
    url = '';
    sent: unknown;
    aborted = false;
    readonly headers = new Map<string, string>();
    readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
    onprogress?: () => void;
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    onloadend?: () => void;

    constructor() {
      Request.last = this;
    }

    open(method: string, url: string): void {
      this.method = method;
      this.url = url;
    }

    setRequestHeader(name: string, value: string): void {
      this.headers.set(name.toLowerCase(), value);
    }

    getResponseHeader(): null {
      return null;
    }

    send(body: unknown): void {
      this.sent = body;
    }

    abort(): void {
      this.aborted = true;
      this.onabort?.();
    }

    say(text: string): void {
      this.status = 200;
      this.responseText += text;
      this.onprogress?.();
    }

    end(status: number, text = this.responseText): void {
      this.status = status;
      this.responseText = text;
      this.onload?.();
      this.onloadend?.();
    }
  }

  beforeEach(() => vi.stubGlobal('XMLHttpRequest', Request));
  afterEach(() => vi.unstubAllGlobals());

  const FILE = new File(['0123456789'], 'export.zip');
  const DONE = { imported: 2, skipped: 1, messages: 9, failed: [{ id: 'x', reason: 'Broken.' }] };

  async function begin(abort = signal) {
    const told: ImportProgress[] = [];
    Request.last = undefined;
    const importing = importConversations(
      new Wire().client(),
      FILE,
      'chatgpt',
      each => void told.push(each),
      abort,
    );
    const request = await vi.waitUntil(() => Request.last);
    await vi.waitUntil(() => request.sent === FILE);
    return { told, importing, request };
  }

  it('tells what was sent, then what was read, and what became of it', async () => {
    const { told, importing, request } = await begin();
    expect(`${request.method} ${request.url}`).toBe('POST http://prosa.test/api/import?source=chatgpt');
    expect(request.headers.get('content-type')).toBe('application/zip');
    request.upload.onprogress?.({ loaded: 4 });
    request.say('{"type":"progress","conversations":1,"mess');
    request.say('ages":3}\n{"type":"progress","conversations":2,"messages":9}\n');
    request.say(`${JSON.stringify({ type: 'done', ...DONE })}\n`);
    request.end(200);
    expect(await importing).toMatchObject(DONE);
    expect(told).toEqual([
      { sent: 4, size: 10, conversations: 0, messages: 0 },
      { sent: 10, size: 10, conversations: 1, messages: 3 },
      { sent: 10, size: 10, conversations: 2, messages: 9 },
    ]);
  });

  it('tells why a file was refused, and that an answer broke off', async () => {
    const refusal = await begin();
    refusal.request.end(400, JSON.stringify({ code: 'unknown_file', message: 'No such file.' }));
    await expect(refusal.importing).rejects.toMatchObject({
      code: 'unknown_file',
      message: 'No such file.',
    });
    const broken = await begin();
    broken.request.say('{"type":"progress","conversations":1,"messages":3}\n');
    broken.request.end(200);
    await expect(broken.importing).rejects.toMatchObject({ code: 'network' });
    const away = await begin();
    away.request.onerror?.();
    await expect(away.importing).rejects.toMatchObject({ code: 'network' });
  });

  it('is broken off', async () => {
    const controller = new AbortController();
    const { importing, request } = await begin(controller.signal);
    controller.abort(new Error('Enough.'));
    await expect(importing).rejects.toThrow('Enough.');
    expect(request.aborted).toBe(true);
  });
});
