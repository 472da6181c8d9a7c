/** What others do in a conversation, told by a socket, by a stream of events, or not at all. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { branch, Chat } from '../src/index.js';
import type { Message } from '../src/types.js';
import {
  CONVERSATION_ID,
  conversation,
  FakeSocket,
  json,
  message,
  openStream,
  refused,
  run,
  stream,
  Wire,
} from './wire.js';

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;
const TALK = [message('u0'), message('a0', { role: 'assistant', parentId: 'u0', content: 'Before' })];
const RUN = { type: 'run', runId: 'r1', userMessageId: 'u1', messageId: 'a1' };

beforeEach(() => {
  FakeSocket.all.length = 0;
});

function server(messages: Message[]): Wire {
  return new Wire()
    .on(`GET ${CONVERSATION}`, () => json(conversation({ headId: messages.at(-1)?.id ?? null })))
    .on(`GET ${CONVERSATION}/messages`, () => json({ items: messages.toReversed(), nextCursor: null }));
}

async function opened(wire: Wire, sockets: typeof WebSocket | null = FakeSocket.constructorOf) {
  const onChanged = vi.fn();
  const chat = new Chat({ client: wire.client({ sockets, token: 't' }), wait: async () => {}, onChanged });
  await chat.open(CONVERSATION_ID);
  await vi.waitFor(() => expect(sockets === null || FakeSocket.all.length > 0).toBe(true));
  return { chat, onChanged };
}

function state(headId: string, more: object = {}) {
  return { type: 'conversation', conversation: conversation({ headId, ...more }) };
}

function contents(chat: Chat): string[] {
  return chat.state.messages.map(({ content }) => content);
}

describe('the socket', () => {
  it('says who asks, and closes with the chat', async () => {
    const { chat } = await opened(server([...TALK]));
    const { last } = FakeSocket;
    expect(last.url).toBe(`ws://prosa.test/api/websocket/conversations/${CONVERSATION_ID}`);
    expect(last.protocols).toEqual(['prosa', 'bearer.t']);
    last.tell(state('a0'));
    expect(chat.state.link).toBe('live');
    chat.close();
    expect(last.isClosed).toBe(true);
  });

  it('streams a run that began elsewhere, without another request for it', async () => {
    const messages = [...TALK];
    const wire = server(messages);
    const { chat } = await opened(wire);
    const { last } = FakeSocket;
    last.tell(state('a0'));
    messages.push(
      message('u1', { content: 'Theirs', parentId: 'a0' }),
      message('a1', {
        role: 'assistant',
        parentId: 'u1',
        content: '',
        status: 'in_progress',
        runId: 'r1',
      }),
    );
    const [start, one, two, done] = run(['Hello', ' there']).map(event => ({ runId: 'r1', ...event }));
    last.tell(state('a1'), RUN, start, one);
    await vi.waitFor(() => expect(contents(chat).at(-1)).toBe('Hello'));
    expect(chat.state.run?.id).toBe('r1');
    last.tell(two, done);
    await vi.waitFor(() => expect(chat.state.run).toBeNull());
    expect(contents(chat)).toEqual(['Text of u0', 'Before', 'Theirs', 'Hello there']);
    expect(wire.calls('GET api/chat/runs/r1/events')).toEqual([]);
  });

  it('that breaks in a run leaves the rest to the stream of the run', async () => {
    const messages = [...TALK];
    const wire = server(messages).on('GET api/chat/runs/r1/events', () => stream(run(['Hello', ' there'])));
    const { chat } = await opened(wire);
    messages.push(
      message('u1', { parentId: 'a0' }),
      message('a1', { role: 'assistant', parentId: 'u1', content: '', status: 'in_progress', runId: 'r1' }),
    );
    const [start, one] = run(['Hello', ' there']).map(event => ({ runId: 'r1', ...event }));
    FakeSocket.last.tell(state('a1'), RUN, start, one);
    await vi.waitFor(() => expect(contents(chat).at(-1)).toBe('Hello'));
    FakeSocket.last.break();
    await vi.waitFor(() => expect(chat.state.run).toBeNull());
    expect(contents(chat).at(-1)).toBe('Hello there');
    expect(wire.calls('GET api/chat/runs/r1/events')[0]?.query.get('after')).toBe('2');
  });

  it('shows a switch, a new title and a deletion at once', async () => {
    const messages = [...TALK];
    const { chat, onChanged } = await opened(server(messages));
    FakeSocket.last.tell(state('a0', { title: 'Another name' }));
    expect(chat.state.conversation?.title).toBe('Another name');
    expect(onChanged).toHaveBeenCalledOnce();
    messages.splice(1, 1, message('a9', { role: 'assistant', parentId: 'u0', content: 'Another' }));
    FakeSocket.last.tell(state('a9'));
    await vi.waitFor(() => expect(contents(chat)).toEqual(['Text of u0', 'Another']));
    FakeSocket.last.tell({ type: 'deleted' });
    expect(chat.state).toMatchObject({ messages: [], error: { at: 'open', code: 'deleted_elsewhere' } });
  });

  it('comes back by itself, says so, and what was missed is fetched', async () => {
    const messages = [...TALK];
    const { chat } = await opened(server(messages));
    FakeSocket.last.tell(state('a0'));
    const before = FakeSocket.all.length;
    FakeSocket.last.break();
    await vi.waitFor(() => expect(chat.state.link).toBe('lost'));
    await vi.waitFor(() => expect(FakeSocket.all.length).toBe(before + 1));
    messages[1] = message('a0', { role: 'assistant', parentId: 'u0', content: 'Edited meanwhile' });
    FakeSocket.last.tell(state('a0'));
    expect(chat.state.link).toBe('live');
    await vi.waitFor(() => expect(contents(chat)).toEqual(['Text of u0', 'Edited meanwhile']));
  });

  it('that is refused for good is not sought for ever, and the reason is told', async () => {
    const wire = server([...TALK]);
    const { chat } = await opened(wire);
    FakeSocket.last.tell(state('a0'));
    wire
      .on(`GET ${CONVERSATION}/events`, () => refused(401, 'unauthorized'))
      .on(`GET ${CONVERSATION}`, () => refused(401, 'unauthorized'));
    for (let sockets = 1; sockets <= 3; sockets += 1) {
      await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(sockets));
      FakeSocket.last.break();
    }
    await vi.waitFor(() =>
      expect(chat.state).toMatchObject({ link: 'none', error: { code: 'unauthorized' } }),
    );
  });

  it('tells of a second switch while the first is being fetched', async () => {
    const messages = [...TALK];
    const wire = server(messages);
    const { chat } = await opened(wire);
    FakeSocket.last.tell(state('a0'));
    const turn = (id: string) => {
      messages[1] = message(id, { role: 'assistant', parentId: 'u0' });
      FakeSocket.last.tell(state(id));
    };
    const page = () => json({ items: messages.toReversed(), nextCursor: null });
    let goOn = () => {};
    const wait = new Promise<void>(resolve => {
      goOn = resolve;
    });
    wire.on(`GET ${CONVERSATION}/messages`, async () => {
      const first = page();
      wire.on(`GET ${CONVERSATION}/messages`, page);
      await wait;
      return first;
    });
    const fetched = wire.calls(`GET ${CONVERSATION}/messages`).length;
    turn('a8');
    await vi.waitFor(() => expect(wire.calls(`GET ${CONVERSATION}/messages`)).toHaveLength(fetched + 1));
    turn('a9');
    goOn();
    await vi.waitFor(() => expect(contents(chat)).toEqual(['Text of u0', 'Text of a9']));
    expect(chat.state.conversation?.headId).toBe('a9');
  });

  it('that is not open yet is let in before it is closed, of which browsers would complain', async () => {
    const { chat } = await opened(server([...TALK]));
    const { last } = FakeSocket;
    last.readyState = WebSocket.CONNECTING;
    chat.close();
    expect(last.isClosed).toBe(false);
    last.onopen?.();
    expect(last.isClosed).toBe(true);
  });

  it('is hung up where the network has gone, though it seems to stand', async () => {
    const { chat } = await opened(server([...TALK]));
    const { last } = FakeSocket;
    last.tell(state('a0'));
    globalThis.dispatchEvent(new Event('offline'));
    await vi.waitFor(() => expect(FakeSocket.last).not.toBe(last));
    expect(last.isClosed).toBe(true);
    FakeSocket.last.tell(state('a0'));
    expect(chat.state.link).toBe('live');
  });

  it('tells of the own run, and the list is not fetched for it', async () => {
    const wire = server([...TALK]);
    const { response, tell, end } = openStream();
    wire.on('POST api/chat/send', () => response);
    const { chat } = await opened(wire);
    const fetched = wire.calls(`GET ${CONVERSATION}/messages`).length;
    FakeSocket.last.tell(state('a0'));
    const sending = chat.send('Hi');
    FakeSocket.last.tell(RUN, state('a1'));
    for (const event of run(['Hello'])) tell(event);
    end();
    await sending;
    expect(contents(chat).at(-1)).toBe('Hello');
    expect(wire.calls(`GET ${CONVERSATION}/messages`)).toHaveLength(fetched);
  });
});

describe('without a socket', () => {
  it('the stream of events tells', async () => {
    const messages = [...TALK];
    const { response, tell } = openStream();
    const { chat } = await opened(
      server(messages).on(`GET ${CONVERSATION}/events`, () => response),
      null,
    );
    tell(state('a0'));
    await vi.waitFor(() => expect(chat.state.link).toBe('live'));
    messages.pop();
    tell({ type: 'messages' });
    await vi.waitFor(() => expect(contents(chat)).toEqual(['Text of u0']));
  });

  it('it is tried after two sockets that never spoke', async () => {
    const { response, tell } = openStream();
    const wire = server([...TALK]).on(`GET ${CONVERSATION}/events`, () => response);
    const { chat } = await opened(wire);
    FakeSocket.last.break();
    await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(2));
    FakeSocket.last.break();
    tell(state('a0'));
    await vi.waitFor(() => expect(chat.state.link).toBe('live'));
    expect(FakeSocket.all).toHaveLength(2);
  });

  it('and without a stream the chat works as if nobody else were there', async () => {
    const wire = server([...TALK]);
    const { chat } = await opened(wire, null);
    await vi.waitFor(() => expect(wire.calls(`GET ${CONVERSATION}/events`)).toHaveLength(1));
    expect(chat.state).toMatchObject({ link: 'none', error: null });
  });
});

describe('branch', () => {
  const sent = () =>
    server([])
      .on('POST api/conversations', () => json(conversation()))
      .on('POST api/chat/send', () => stream(run(['Yes'])))
      .on(`GET ${CONVERSATION}/messages/:id`, (_, [, id = '']) => json(message(id, { parentId: 'a9' })))
      .on(`GET ${CONVERSATION}/messages/a0`, () => json(message('a0', { role: 'assistant' })));

  it.each([
    ['under an answer', 'a0', 'a0'],
    ['beside a question', 'u5', 'a9'],
    ['at the root', null, null],
  ])('begins %s, and resolves with what was stored', async (_, fromMessageId, parentId) => {
    const wire = sent();
    const asked = { conversationId: 'order-4711', fromMessageId, newMessage: 'What if?' };
    const begun = await branch(wire.client(), asked);
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({
      conversationId: CONVERSATION_ID,
      content: 'What if?',
      parentId,
    });
    expect(begun).toMatchObject({ runId: 'r1', userMessage: { id: 'u1' }, message: { id: 'a1' } });
  });

  it('throws what went wrong', async () => {
    const wire = sent().on('POST api/chat/send', () => refused(409, 'run_in_progress'));
    const asked = { conversationId: CONVERSATION_ID, fromMessageId: null, newMessage: 'x' };
    await expect(branch(wire.client(), asked)).rejects.toMatchObject({ code: 'run_in_progress' });
  });
});
