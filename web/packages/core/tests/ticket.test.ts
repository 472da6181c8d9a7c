/** The ticket's socket: whole and nothing twice, wherever the line is cut. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client, Ticket, type TicketRequest, ticketFrames } from '../src/index.js';
import { type Line, SocketServer } from './sockets.js';

const PIECES = Array.from({ length: 400 }, (_, n) => `${n} é 👍🏽 `);
const TEXT = PIECES.join('');

let server: SocketServer;

beforeEach(() => {
  server = new SocketServer();
  vi.stubGlobal('WebSocket', server.socket);
});

afterEach(() => vi.unstubAllGlobals());

function setup(token?: string) {
  const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
  const client = new Client({ baseUrl: 'https://prosa.test/chat/', token, fetch });
  return { client, ticketId: 'a/b 1', wait: () => Promise.resolve() };
}

/** Says the frames of a run after a number, and is cut where `cuts` says so. */
function tell(line: Line, after: number, cuts: () => number): void {
  const frames = [
    ...PIECES.map((content, index) => ({ type: 'stream', content, runId: 'r1', seq: index + 2 })),
    { type: 'done', runId: 'r1', seq: PIECES.length + 2 },
  ].filter(({ seq }) => seq > after);
  const left = cuts();
  for (const frame of frames.slice(0, left)) line.say(frame);
  if (left < frames.length) line.cut();
}

async function textOf(request: TicketRequest): Promise<string> {
  const { client, ticketId, wait } = setup();
  let text = '';
  const { signal } = new AbortController();
  for await (const frame of ticketFrames(client, ticketId, request, { signal, wait })) {
    if (frame.type === 'stream') text += frame.content;
    if (frame.type === 'reset') text = '';
    if (frame.type === 'error') throw new Error(frame.message);
  }
  return text;
}

describe('a ticket', () => {
  it('is asked where it is, by who asks', async () => {
    server.heed = line => tell(line, 0, () => Number.POSITIVE_INFINITY);
    const ticket = new Ticket(setup('abc.def'));
    await ticket.open('It is broken.', 'small');
    expect(server.lines[0]).toMatchObject({
      url: 'wss://prosa.test/chat/api/websocket/chat/a%2Fb%201',
      protocols: ['prosa', 'bearer.abc.def'],
    });
    expect(ticket.state).toMatchObject({ answer: TEXT, cached: false, loading: false, error: null });
  });

  it.each([1, 2, 3, 4, 5])('is whole when its socket is cut 100 times at random (%i)', async seed => {
    const random = mulberry(seed);
    const asked: Record<string, unknown>[] = [];
    let cuts = 0;
    server.heed = (line, said) => {
      asked.push(said);
      tell(line, Number(said.after ?? 0), () => {
        cuts += 1;
        // At random: before the first frame, in the middle, after a frame that was told already.
        return cuts <= 100 ? Math.floor(random() * 8) : Number.POSITIVE_INFINITY;
      });
    };
    server.admits = () => random() > 0.05;
    expect(await textOf({ ticketBody: 'It is broken.' })).toBe(TEXT);
    expect(cuts).toBe(101);
    // Until the run is known, the same question is asked again under the same id; afterwards, for the rest.
    const first = asked.filter(said => 'ticketBody' in said);
    expect(new Set(first.map(said => said.clientMessageId)).size).toBe(1);
    expect(asked.at(-1)).toMatchObject({ resume: 'r1' });
  });

  it('says nothing twice where the server repeats itself', async () => {
    let times = 0;
    server.heed = line => {
      times += 1;
      tell(line, 0, () => (times < 5 ? times * 20 : Number.POSITIVE_INFINITY));
    };
    expect(await textOf({ ticketBody: 'It is broken.' })).toBe(TEXT);
  });

  it('shows the answer that it has', async () => {
    server.heed = line => {
      line.say({ type: 'cached', response: 'Turn it off.', message: 'Resposta em cache' });
      line.say({ type: 'done' });
    };
    const ticket = new Ticket(setup());
    await ticket.open('It is broken.');
    expect(ticket.state).toMatchObject({ answer: 'Turn it off.', cached: true, loading: false });
  });

  it('is asked anew, and further, each under one id', async () => {
    const asked: Record<string, unknown>[] = [];
    server.heed = (line, said) => {
      asked.push(said);
      line.say({ type: 'stream', content: `Answer ${asked.length}`, runId: `r${asked.length}`, seq: 2 });
      line.say({ type: 'done', runId: `r${asked.length}`, seq: 3 });
    };
    const ticket = new Ticket(setup());
    await ticket.open('It is broken.');
    await ticket.refresh('It is broken.', 'large');
    await ticket.ask('And then?');
    expect(asked).toMatchObject([
      { ticketBody: 'It is broken.' },
      { ticketBody: 'It is broken.', refresh: true, model: 'large' },
      { message: 'And then?' },
    ]);
    expect(new Set(asked.map(said => said.clientMessageId)).size).toBe(3);
    expect(ticket.state).toMatchObject({
      answer: 'Answer 2',
      followUps: [{ message: 'And then?', answer: 'Answer 3' }],
    });
  });

  it('begins again where the run is forgotten', async () => {
    let again: object = {};
    server.heed = (line, said) => {
      if ('resume' in said) {
        line.say({ type: 'error', code: 'run_not_found', message: 'No such run.' });
      } else if (server.lines.length === 1) {
        line.say({ type: 'stream', content: 'Lost', runId: 'r0', seq: 2 });
        line.cut();
      } else {
        again = said;
        tell(line, 0, () => Number.POSITIVE_INFINITY);
      }
    };
    expect(await textOf({ ticketBody: 'It is broken.', refresh: true, model: 'large' })).toBe(TEXT);
    expect(again).toEqual({ ticketBody: 'It is broken.', model: 'large' });
  });

  it('tells an error, and lets the next try begin anew', async () => {
    server.heed = line => {
      line.say({ type: 'error', code: 'ollama_missing', message: 'OLLAMA_SERVER não configurado' });
    };
    const ticket = new Ticket(setup());
    await ticket.open('It is broken.');
    expect(ticket.state).toMatchObject({
      loading: false,
      error: { code: 'ollama_missing', message: 'OLLAMA_SERVER não configurado', retryable: true },
    });
    server.heed = line => tell(line, 0, () => Number.POSITIVE_INFINITY);
    await ticket.open('It is broken.');
    expect(ticket.state).toMatchObject({ answer: TEXT, error: null });
  });

  it.each([
    [4401, 'ws_4401'],
    [1009, 'ws_1009'],
  ])('does not try again where it is refused with %i', async (code, expected) => {
    server.heed = line => line.cut(code, 'No.');
    const ticket = new Ticket(setup());
    await ticket.open('It is broken.');
    expect(ticket.state.error).toEqual({ code: expected, message: 'No.', retryable: false });
    expect(server.lines).toHaveLength(1);
  });

  it('gives up where the server never lets it in', async () => {
    server.admits = () => false;
    const ticket = new Ticket(setup());
    await ticket.open('It is broken.');
    expect(ticket.state).toMatchObject({ loading: false, error: { code: 'network', retryable: true } });
    expect(server.lines.length).toBeGreaterThan(3);
  });

  it('leaves a line that is dead, and not one that is only slow', async () => {
    vi.useFakeTimers();
    server.heed = (line, said) => {
      const isAlive = server.lines.length === 2;
      if (said.type === 'ping' && isAlive) line.say({ type: 'pong' });
      if (said.type !== 'ping' && isAlive) setTimeout(() => tell(line, 0, () => 1_000), 90_000);
    };
    const reading = textOf({ ticketBody: 'It is broken.' });
    await vi.advanceTimersByTimeAsync(140_000);
    expect(await reading).toBe(TEXT);
    expect(server.lines).toHaveLength(2);
    vi.useRealTimers();
  });

  it('hangs up when it is left', async () => {
    server.heed = line => line.say({ type: 'stream', content: 'Half', runId: 'r1', seq: 2 });
    const ticket = new Ticket(setup());
    const opening = ticket.open('It is broken.');
    await vi.waitFor(() => expect(ticket.state.answer).toBe('Half'));
    ticket.close();
    await opening;
    expect(server.lines[0]?.isOpen()).toBe(false);
    expect(ticket.state.loading).toBe(false);
    expect(server.lines).toHaveLength(1);
  });
});

/** Random numbers that are the same in every run of the test. */
function mulberry(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
