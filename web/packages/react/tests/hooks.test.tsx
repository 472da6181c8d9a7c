/** The hooks against a server that exists only here. */
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  CONVERSATION_ID,
  conversation,
  json,
  message,
  refused,
  run,
  stream,
  Wire,
} from '../../core/tests/wire.js';
import { ProsaProvider, useChat, useConversationBranching, useConversations } from '../src/index.js';

afterEach(cleanup);

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;

function inside(wire: Wire) {
  const client = wire.client();
  return ({ children }: { readonly children: ReactNode }) => (
    <StrictMode>
      <ProsaProvider client={client} language="en">
        {children}
      </ProsaProvider>
    </StrictMode>
  );
}

describe('useChat', () => {
  function server() {
    return new Wire()
      .on('POST api/conversations', ({ body }) => json(conversation(body)))
      .on(`GET ${CONVERSATION}`, () => json(conversation()))
      .on(`GET ${CONVERSATION}/messages`, () => json({ items: [], nextCursor: null }))
      .on('POST api/chat/send', () => stream(run(['Hello', ' there'])));
  }

  it('sends a message and shows the answer', async () => {
    const onMessageSent = vi.fn();
    const wire = server();
    const { result } = renderHook(
      () => useChat({ userId: 'ana', conversationId: 'conv_123', provider: 'openai', onMessageSent }),
      { wrapper: inside(wire) },
    );
    expect(result.current.loading).toBe(true);
    await waitFor(() => expect(result.current.loading).toBe(false));
    await act(() => result.current.sendMessage('Hello!'));
    expect(result.current.messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Hello!'],
      ['assistant', 'Hello there'],
    ]);
    expect(onMessageSent).toHaveBeenCalledOnce();
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ provider: 'openai' });
    expect(wire.calls('POST api/chat/send')[0]?.body).not.toHaveProperty('userId');
  });

  it('tells an error and tries again', async () => {
    const wire = server().on('POST api/chat/send', () => refused(429, 'limit_reached'));
    const { result } = renderHook(() => useChat(), { wrapper: inside(wire) });
    await act(() => result.current.sendMessage('Hi'));
    expect(result.current.error?.message).toBe('Refused: limit_reached.');
    wire.on('POST api/chat/send', () => stream(run(['Hello'])));
    await act(() => result.current.retryLastMessage());
    expect(result.current.error).toBeNull();
    expect(result.current.messages.at(-1)?.content).toBe('Hello');
  });

  it('clears the messages', async () => {
    const wire = server().on(`DELETE ${CONVERSATION}/messages`, () => new Response(null, { status: 204 }));
    const { result } = renderHook(() => useChat({ conversationId: CONVERSATION_ID }), {
      wrapper: inside(wire),
    });
    await waitFor(() => expect(result.current.loading).toBe(false));
    await act(() => result.current.sendMessage('Hi'));
    await act(() => result.current.clearMessages());
    expect(result.current.messages).toEqual([]);
  });

  it('stays in the conversation that the first message made', async () => {
    const wire = server();
    const { result, rerender } = renderHook(
      ({ id }: { readonly id: string | null }) => useChat({ conversationId: id }),
      { wrapper: inside(wire), initialProps: { id: null as string | null } },
    );
    await act(() => result.current.sendMessage('Hi'));
    rerender({ id: CONVERSATION_ID });
    expect(result.current.messages).toHaveLength(2);
    expect(wire.calls(`GET ${CONVERSATION}`)).toEqual([]);
  });

  it('leaves one conversation for another', async () => {
    const other = '00000000-0000-7000-8000-000000000002';
    const wire = server()
      .on(`GET api/conversations/${other}`, () => json(conversation({ id: other })))
      .on(`GET api/conversations/${other}/messages`, () => json({ items: [message('x')], nextCursor: null }));
    const { result, rerender } = renderHook(({ id }) => useChat({ conversationId: id }), {
      wrapper: inside(wire),
      initialProps: { id: CONVERSATION_ID },
    });
    await waitFor(() => expect(result.current.conversation?.id).toBe(CONVERSATION_ID));
    rerender({ id: other });
    await waitFor(() => expect(result.current.messages.map(({ id }) => id)).toEqual(['x']));
  });
});

describe('useConversationBranching', () => {
  it('creates a branch, and tells what went wrong', async () => {
    const wire = new Wire()
      .on('POST api/chat/send', () => stream(run(['Hello'])))
      .on(`GET ${CONVERSATION}/messages/:id`, (_, [, id = '']) => json(message(id)));
    const { result } = renderHook(() => useConversationBranching(), { wrapper: inside(wire) });
    const given = { conversationId: CONVERSATION_ID, fromMessageId: 'a0', newMessage: 'Otherwise?' };
    const made = await act(() => result.current.createBranch(given));
    expect(made).toMatchObject({ runId: 'r1', userMessage: { id: 'u1' }, message: { id: 'a1' } });
    wire.on('POST api/chat/send', () => refused(409, 'run_in_progress'));
    await act(() => expect(result.current.createBranch(given)).rejects.toThrow('Refused'));
    expect(result.current).toMatchObject({ loading: false, error: { code: 'run_in_progress' } });
  });
});

describe('useConversations', () => {
  const [one, two, three] = ['1', '2', '3'].map(id => conversation({ id, title: `Talk ${id}` }));

  function server() {
    return new Wire()
      .on('GET api/conversations', ({ query }) =>
        json(
          query.get('cursor') === null
            ? { items: [one, two], nextCursor: 'c' }
            : { items: [two, three], nextCursor: null },
        ),
      )
      .on('POST api/conversations', ({ body }) => json(conversation({ id: '4', ...body }), 201))
      .on('PATCH api/conversations/:id', ({ body }, [, id = '']) => json(conversation({ id, ...body })))
      .on('DELETE api/conversations/:id', () => new Response(null, { status: 204 }));
  }

  async function listed(wire: Wire) {
    const { result } = renderHook(() => useConversations('ana'), { wrapper: inside(wire) });
    expect(result.current.loading).toBe(true);
    await waitFor(() => expect(result.current.loading).toBe(false));
    return { result, titles: () => result.current.conversations.map(({ title }) => title) };
  }

  it('lists, and lists more without a repeat', async () => {
    const { result, titles } = await listed(server());
    expect(titles()).toEqual(['Talk 1', 'Talk 2']);
    await act(() => result.current.loadMore());
    expect(titles()).toEqual(['Talk 1', 'Talk 2', 'Talk 3']);
    expect(result.current.hasMore).toBe(false);
  });

  it('creates, renames and deletes', async () => {
    const { result, titles } = await listed(server());
    await act(() => result.current.createConversation({ title: 'New' }));
    await act(() => result.current.renameConversation('1', 'Renamed'));
    await act(() => result.current.deleteConversation('2'));
    expect(titles()).toEqual(['New', 'Renamed']);
  });

  it('tells an error and goes on after it', async () => {
    const wire = server().on('GET api/conversations', () => refused(500, 'internal'));
    const { result } = await listed(wire);
    expect(result.current.error?.message).toBe('Refused: internal.');
    wire.on('GET api/conversations', () => json({ items: [three], nextCursor: null }));
    await act(() => result.current.refresh());
    expect(result.current.error).toBeNull();
    expect(result.current.conversations).toHaveLength(1);
  });
});
