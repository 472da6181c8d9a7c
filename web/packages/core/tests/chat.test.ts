/** Taking part in a conversation: each thing that somebody can do, and each thing that can go wrong. */
import { describe, expect, it, vi } from 'vitest';
import { Chat, type ChatOptions } from '../src/index.js';
import type { Message } from '../src/types.js';
import {
  CONVERSATION_ID,
  conversation,
  json,
  message,
  openStream,
  refused,
  run,
  stream,
  Wire,
} from './wire.js';

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;
const TALK = [
  message('u0'),
  message('a0', { role: 'assistant', parentId: 'u0', siblings: ['a0'], content: 'Before' }),
];

/** A server that has one conversation with these messages. */
function server(messages: readonly Message[] = TALK): Wire {
  return new Wire()
    .on(`GET ${CONVERSATION}`, () => json(conversation()))
    .on(`GET ${CONVERSATION}/messages`, ({ query }) => {
      const items = query.get('order') === 'desc' ? messages.toReversed() : messages;
      return json({ items, nextCursor: null });
    })
    .on('POST api/conversations', ({ body }) => json(conversation(body), 201))
    .on('POST api/chat/send', () => stream(run(['Hello', ' there'])));
}

function chatWith(wire: Wire, options: Partial<ChatOptions> = {}): Chat {
  return new Chat({ client: wire.client(), wait: async () => {}, ...options });
}

function contents(chat: Chat): string[] {
  return chat.state.messages.map(({ content }) => content);
}

async function opened(wire: Wire, options?: Partial<ChatOptions>): Promise<Chat> {
  const chat = chatWith(wire, options);
  await chat.open(CONVERSATION_ID);
  return chat;
}

describe('open', () => {
  it('shows the branch, oldest message first', async () => {
    const chat = await opened(server());
    expect(contents(chat)).toEqual(['Text of u0', 'Before']);
    expect(chat.state.conversation?.title).toBe('A talk');
  });

  it('takes what is no UUID for a name of the caller’s own', async () => {
    const wire = server();
    await chatWith(wire, { settings: () => ({ systemPrompt: 'Be kind.' }) }).open('conv_123');
    expect(wire.calls('POST api/conversations')[0]?.body).toEqual({
      externalId: 'conv_123',
      systemPrompt: 'Be kind.',
    });
  });

  it('goes on with an answer that is being written', async () => {
    const writing = message('a1', { role: 'assistant', content: 'He', status: 'in_progress', runId: 'r1' });
    const wire = server([message('u1'), writing]).on('GET api/chat/runs/r1/events', () =>
      stream(run(['Hello', ' there'])),
    );
    const chat = await opened(wire);
    await vi.waitFor(() => expect(chat.state.run).toBeNull());
    expect(chat.state.messages[1]).toMatchObject({ content: 'Hello there', status: 'completed' });
    expect(wire.calls('GET api/chat/runs/r1/events')[0]?.query.get('after')).toBe('0');
  });

  it('fetches the message when its run has nothing more to tell', async () => {
    const writing = message('a1', { role: 'assistant', status: 'in_progress', runId: 'r1' });
    const wire = server([writing])
      .on('GET api/chat/runs/r1/events', () => new Response(null, { status: 204 }))
      .on(`GET ${CONVERSATION}/messages/a1`, () => json({ ...writing, content: 'All', status: 'completed' }));
    const chat = await opened(wire);
    await vi.waitFor(() => expect(chat.state.run).toBeNull());
    expect(contents(chat)).toEqual(['All']);
  });

  it('says that a conversation does not exist, and tries again when asked to', async () => {
    const wire = server();
    let exists = false;
    wire.on(`GET ${CONVERSATION}`, () =>
      exists ? json(conversation()) : refused(404, 'conversation_not_found'),
    );
    const chat = await opened(wire);
    expect(chat.state.error).toMatchObject({ at: 'open', code: 'conversation_not_found', retryable: false });
    exists = true;
    await chat.retry();
    expect(contents(chat)).toHaveLength(2);
  });

  it('shows nothing of a conversation that was left before it came', async () => {
    const chat = chatWith(server());
    const opening = chat.open(CONVERSATION_ID);
    await chat.open(null);
    await opening;
    expect(chat.state).toMatchObject({ conversation: null, messages: [], loading: false });
  });
});

describe('send', () => {
  it('shows the question at once, then the answer, and tells the host', async () => {
    const onSent = vi.fn();
    const wire = server();
    const chat = await opened(wire, { onSent, settings: () => ({ temperature: 0.7, model: undefined }) });
    const sending = chat.send('Hi');
    expect(contents(chat)).toEqual(['Text of u0', 'Before', 'Hi', '']);
    await sending;
    expect(contents(chat)).toEqual(['Text of u0', 'Before', 'Hi', 'Hello there']);
    expect(onSent).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ id: 'u1', content: 'Hi' }));
    expect(wire.calls('POST api/chat/send')[0]?.body).toEqual({
      conversationId: CONVERSATION_ID,
      content: 'Hi',
      temperature: 0.7,
      clientMessageId: expect.any(String),
      accepts: ['reset'],
    });
  });

  it('makes the conversation with the first message, and leaves its name to the server', async () => {
    const onCreated = vi.fn();
    const wire = server();
    const chat = chatWith(wire, { onCreated });
    await chat.send('# What is   *prose*?');
    expect(wire.calls('POST api/conversations')[0]?.body).toEqual({});
    expect(onCreated).toHaveBeenCalledOnce();
    await chat.open(CONVERSATION_ID);
    expect(wire.calls(`GET ${CONVERSATION}`)).toEqual([]);
  });

  it('does nothing with an empty text or while an answer is being written', async () => {
    const wire = server();
    const chat = await opened(wire);
    await Promise.all([chat.send('  '), chat.send('One'), chat.send('Two')]);
    expect(wire.calls('POST api/chat/send')).toHaveLength(1);
  });

  it('keeps a refused question in sight, and sends it again under the same key', async () => {
    const wire = server().on('POST api/chat/send', () => refused(503, 'draining'));
    const chat = await opened(wire);
    await chat.send('Hi');
    expect(chat.state.error).toMatchObject({ at: 'send', code: 'draining', retryable: true });
    wire.on('POST api/chat/send', () => stream(run(['Hello'])));
    await chat.retry();
    expect(contents(chat)).toEqual(['Text of u0', 'Before', 'Hi', 'Hello']);
    expect(chat.state.error).toBeNull();
    const keys = wire.calls('POST api/chat/send').map(({ body }) => body.clientMessageId);
    expect(keys[0]).toBe(keys[1]);
  });

  it('gives the text back and shows the other answer when another window was faster', async () => {
    const writing = message('a1', { role: 'assistant', status: 'in_progress', runId: 'r1' });
    const messages = [...TALK];
    const wire = server(messages)
      .on('POST api/chat/send', () => refused(409, 'run_in_progress', { runId: 'r1' }))
      .on('GET api/chat/runs/r1/events', () => stream(run(['Theirs'])));
    const chat = await opened(wire);
    messages.push(message('u1'), writing);
    await chat.send('Hi');
    expect(chat.state.returned).toEqual({ content: 'Hi', attachments: [] });
    await vi.waitFor(() => expect(contents(chat)).toEqual(['Text of u0', 'Before', 'Text of u1', 'Theirs']));
  });

  it('fetches the message when the journal has a gap', async () => {
    const [start, , done] = run(['x']);
    const wire = server()
      .on('POST api/chat/send', () => stream([start, { type: 'gap', messageId: 'a1', seq: 2 }, done]))
      .on(`GET ${CONVERSATION}/messages/a1`, () =>
        json(message('a1', { role: 'assistant', content: 'What there is', status: 'incomplete' })),
      );
    const chat = await opened(wire);
    await chat.send('Hi');
    expect(chat.state.messages.at(-1)).toMatchObject({ content: 'What there is', status: 'incomplete' });
    expect(chat.state.run).toBeNull();
  });
});

describe('retry and edit', () => {
  it('asks for another last answer', async () => {
    const wire = server().on('POST api/chat/send', () => stream(run(['Better'], { question: 'u0' })));
    const chat = await opened(wire);
    await chat.retry();
    expect(contents(chat)).toEqual(['Text of u0', 'Better']);
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ regenerate: 'a0' });
    expect(wire.calls('POST api/chat/send')[0]?.body).not.toHaveProperty('content');
  });

  it('asks for another answer in the middle, and leaves what followed in its own branch', async () => {
    const more = [
      ...TALK,
      message('u2', { parentId: 'a0' }),
      message('a2', { role: 'assistant', parentId: 'u2' }),
    ];
    const wire = server(more).on('POST api/chat/send', () => stream(run(['Better'], { question: 'u0' })));
    const chat = await opened(wire);
    await chat.regenerate('a0');
    expect(contents(chat)).toEqual(['Text of u0', 'Better']);
    expect(chat.state.messages[1]?.siblings).toEqual(['a0', 'a1']);
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ regenerate: 'a0' });
  });

  it('gives a refused question back to the composer with its files', async () => {
    const wire = server().on('POST api/chat/send', () => refused(400, 'media_not_supported'));
    const chat = await opened(wire);
    const file = { id: 'f1', name: 'a.png', mediaType: 'image/png', size: 3 };
    await chat.send('See', [file]);
    expect(chat.state.error).toMatchObject({ at: 'send', retryable: false });
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ content: 'See', attachments: ['f1'] });
    chat.takeBack();
    expect(chat.state).toMatchObject({ returned: { content: 'See', attachments: [file] }, error: null });
    expect(contents(chat)).toEqual(['Text of u0', 'Before']);
  });

  it('begins another branch in place of a message, at the root too', async () => {
    const wire = server();
    const chat = await opened(wire);
    await chat.edit('u0', 'Instead');
    expect(contents(chat)).toEqual(['Instead', 'Hello there']);
    expect(chat.state.messages[0]?.siblings).toEqual(['u0', 'u1']);
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ content: 'Instead', parentId: null });
  });

  it('shows another branch', async () => {
    const wire = server().on(`PATCH ${CONVERSATION}`, () => json(conversation()));
    const chat = await opened(wire);
    await chat.show('a9');
    expect(wire.calls(`PATCH ${CONVERSATION}`)[0]?.body).toEqual({ headId: 'a9' });
    expect(wire.calls(`GET ${CONVERSATION}/messages`)).toHaveLength(2);
  });
});

describe('a branch in a long conversation', () => {
  const path = (name: string) =>
    Array.from({ length: 60 }, (_, n) => {
      const id = (at: number) => (at < 5 ? `m${at}` : `${name}${at}`);
      return message(id(n), { parentId: n === 0 ? null : id(n - 1), content: id(n) });
    });

  it('is shown from where it leaves the other, and what came before stays', async () => {
    let shown = path('x');
    const wire = server()
      .on(`PATCH ${CONVERSATION}`, () => json(conversation()))
      .on(`GET ${CONVERSATION}/messages`, ({ query }) => {
        const all = shown.toReversed();
        const from = all.findIndex(({ id }) => id === query.get('cursor')) + 1;
        const to = from + Number(query.get('limit'));
        return json({
          items: all.slice(from, to),
          nextCursor: to < all.length ? (all[to - 1]?.id ?? null) : null,
        });
      });
    const chat = await opened(wire);
    while (chat.state.older !== null) await chat.loadOlder();
    expect(chat.state.messages).toHaveLength(60);
    const [first] = chat.state.messages;
    shown = path('y');
    await chat.show('y5');
    expect(contents(chat)).toEqual(shown.map(({ id }) => id));
    expect(chat.state.messages[0]?.id).toBe(first?.id);
  });
});

describe('feedback', () => {
  const RATED = `${CONVERSATION}/messages/a0/feedback`;
  const UP = { thumb: 'up', rating: null, tags: [], comment: null } as const;

  it('is shown at once, and taken back', async () => {
    const wire = server()
      .on(`PUT ${RATED}`, ({ body }) => json(body))
      .on(`DELETE ${RATED}`, () => new Response(null, { status: 204 }));
    const chat = await opened(wire);
    const rating = chat.rate('a0', UP);
    expect(chat.state.messages[1]?.feedback).toEqual(UP);
    await rating;
    expect(wire.calls(`PUT ${RATED}`)[0]?.body).toEqual(UP);
    await chat.rate('a0', null);
    expect(chat.state.messages[1]?.feedback).toBeNull();
    expect(wire.calls(`DELETE ${RATED}`)).toHaveLength(1);
  });

  it('that was not kept is not shown', async () => {
    const chat = await opened(server().on(`PUT ${RATED}`, () => refused(500, 'internal')));
    await chat.rate('a0', UP);
    expect(chat.state.messages[1]?.feedback).toBeNull();
    expect(chat.state.error?.at).toBe('change');
  });
});

describe('stop', () => {
  it('stops the run, and an early stop as soon as there is one', async () => {
    const [start] = run([]);
    const { response, tell, end } = openStream();
    const wire = server()
      .on('POST api/chat/send', () => response)
      .on('POST api/chat/runs/r1/stop', () => {
        tell({ type: 'done', messageId: 'a1', status: 'cancelled', seq: 3 });
        end();
        return json({ id: 'r1', status: 'cancelled' });
      });
    const chat = await opened(wire);
    const sending = chat.send('Hi');
    await chat.stop();
    expect(chat.state.run?.stopping).toBe(true);
    tell(start);
    tell({ content: 'Half', seq: 2 });
    await sending;
    expect(wire.calls('POST api/chat/runs/r1/stop')).toHaveLength(1);
    expect(chat.state.messages.at(-1)).toMatchObject({ content: 'Half', status: 'incomplete' });
  });
});

describe('clear', () => {
  it('deletes every message, and the conversation stays', async () => {
    const wire = server().on(`DELETE ${CONVERSATION}/messages`, () => new Response(null, { status: 204 }));
    const chat = await opened(wire);
    await chat.clear();
    expect(wire.calls(`DELETE ${CONVERSATION}/messages`)).toHaveLength(1);
    expect(chat.state).toMatchObject({ messages: [], conversation: { id: CONVERSATION_ID } });
  });
});

describe('older messages', () => {
  it('come before the shown ones, and a failure can be tried again', async () => {
    let fails = true;
    const wire = server().on(`GET ${CONVERSATION}/messages`, ({ query }) => {
      if (query.get('cursor') === null) return json({ items: [message('m2')], nextCursor: 'c' });
      return fails ? refused(500, 'internal') : json({ items: [message('m1')], nextCursor: null });
    });
    const chat = await opened(wire);
    await chat.loadOlder();
    expect(chat.state.error?.at).toBe('older');
    fails = false;
    await chat.retry();
    expect(contents(chat)).toEqual(['Text of m1', 'Text of m2']);
    expect(chat.state.older).toBeNull();
  });
});

describe('refresh', () => {
  it('shows what was said elsewhere', async () => {
    const messages = [...TALK];
    const chat = await opened(server(messages));
    messages.push(message('u9'));
    await chat.refresh();
    expect(contents(chat).at(-1)).toBe('Text of u9');
  });
});
