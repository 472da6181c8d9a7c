/** A run's events arrive once and in order, whatever happens to the connection. */
import { describe, expect, it, vi } from 'vitest';
import { ChatError, Client, type RunEvent, runEvents, type Source } from '../src/index.js';
import { CONVERSATION_ID, refused, run, stream, Wire } from './wire.js';

const EVENTS = run(['One ', 'two ', 'three.']);
const SEND: Source = { request: { conversationId: CONVERSATION_ID, content: 'Hi', clientMessageId: 'key' } };

async function read(wire: Wire, source: Source, options = {}) {
  const { signal } = new AbortController();
  const events: RunEvent[] = [];
  const wait = async () => {};
  for await (const event of runEvents(wire.client(), source, { signal, wait, ...options }))
    events.push(event);
  return events;
}

function seqs(events: readonly RunEvent[]) {
  return events.map(event => event.seq);
}

describe('runEvents', () => {
  it('reads a run from its request to its end', async () => {
    const wire = new Wire().on('POST api/chat/send', () => stream(EVENTS));
    const events = await read(wire, SEND);
    expect(seqs(events)).toEqual([1, 2, 3, 4, 5]);
    expect(events[1]).toEqual({ type: 'text', content: 'One ', seq: 2 });
    expect(wire.asked[0]?.body).toMatchObject({ clientMessageId: 'key', accepts: ['reset'] });
  });

  it('resumes after every possible cut, without loss or repeat', async () => {
    for (let cut = 1; cut < EVENTS.length; cut += 1) {
      const wire = new Wire()
        .on('POST api/chat/send', () => stream(EVENTS.slice(0, cut), { cut: true }))
        .on('GET api/chat/runs/r1/events', ({ query }) => stream(EVENTS.slice(Number(query.get('after')))));
      expect(seqs(await read(wire, SEND))).toEqual([1, 2, 3, 4, 5]);
      expect(wire.asked.at(-1)?.query.get('after')).toBe(String(cut));
    }
  });

  it('resumes when the body ends without an end, and drops what it has heard before', async () => {
    const wire = new Wire()
      .on('POST api/chat/send', () => stream(EVENTS.slice(0, 3)))
      .on('GET api/chat/runs/r1/events', () => stream(EVENTS));
    expect(seqs(await read(wire, SEND))).toEqual([1, 2, 3, 4, 5]);
  });

  it('tells when the connection is lost and found', async () => {
    const onConnection = vi.fn();
    let attempts = 0;
    const wire = new Wire()
      .on('POST api/chat/send', () => stream(EVENTS.slice(0, 2), { cut: true }))
      .on('GET api/chat/runs/r1/events', () => {
        attempts += 1;
        return attempts < 3 ? refused(502, 'bad_gateway') : stream(EVENTS.slice(2));
      });
    await read(wire, SEND, { onConnection });
    expect(onConnection.mock.calls).toEqual([[true], [true], [true], [false]]);
  });

  it('waits as long as it was asked to', async () => {
    const wait = vi.fn(async () => {});
    let busy = true;
    const wire = new Wire().on('GET api/chat/runs/r1/events', () => {
      const response = busy ? refused(503, 'draining') : stream(EVENTS);
      response.headers.set('Retry-After', '7');
      busy = false;
      return response;
    });
    await read(wire, { runId: 'r1', after: 0 }, { wait });
    expect(wait).toHaveBeenCalledExactlyOnceWith(7000, expect.anything());
  });

  it('sends a request again that nobody answered, under the same key, but not for ever', async () => {
    const wire = new Wire().on('POST api/chat/send', () => {
      throw new TypeError('network error');
    });
    await expect(read(wire, SEND)).rejects.toMatchObject({ code: 'network' });
    expect(wire.asked.map(({ body }) => body.clientMessageId)).toEqual(Array(5).fill('key'));
  });

  it('does not repeat a request that was refused', async () => {
    const wire = new Wire().on('POST api/chat/send', () => refused(429, 'limit_reached'));
    await expect(read(wire, SEND)).rejects.toBeInstanceOf(ChatError);
    expect(wire.asked).toHaveLength(1);
  });

  it('returns quietly when there is nothing more to tell', async () => {
    const wire = new Wire().on('GET api/chat/runs/r1/events', () => new Response(null, { status: 204 }));
    expect(await read(wire, { runId: 'r1', after: 9 })).toEqual([]);
  });

  it('hangs up a connection that has gone silent', async () => {
    let silent = true;
    const fetch = async (_: RequestInfo | URL, init?: RequestInit) => {
      if (!silent) return stream(EVENTS);
      silent = false;
      return new Promise<Response>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('Aborted', 'AbortError')));
      });
    };
    const client = new Client({ baseUrl: 'http://prosa.test/', fetch });
    const { signal } = new AbortController();
    const events: RunEvent[] = [];
    const options = { signal, patience: 5, wait: async () => {} };
    for await (const event of runEvents(client, { runId: 'r1', after: 0 }, options)) events.push(event);
    expect(seqs(events)).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends without a word when its reader leaves', async () => {
    const controller = new AbortController();
    const wire = new Wire().on('POST api/chat/send', () => stream(EVENTS.slice(0, 2), { cut: true }));
    const wait = async () => controller.abort();
    expect(await read(wire, SEND, { signal: controller.signal, wait })).toHaveLength(2);
  });
});
