/** What was used, as a hook: known at once, known again after each answer. */
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { CONVERSATION_ID, conversation, json, refused, run, stream, Wire } from '../../core/tests/wire.js';
import { ProsaProvider, type Usage, useChat, useTokenUsage } from '../src/index.js';

afterEach(cleanup);

function usage(given: Partial<Usage> = {}): Usage {
  return {
    since: '2026-11-01T00:00:00Z',
    until: '2026-11-29T00:00:00Z',
    timezone: 'UTC',
    requests: 1,
    totalTokens: 30,
    promptTokens: 20,
    completionTokens: 10,
    cachedTokens: 0,
    reasoningTokens: 0,
    cost: 0.0375,
    costExact: '0.0375',
    messagesCount: 2,
    estimated: 0,
    unpriced: 0,
    remaining: {
      tokens: 70,
      cost: null,
      tokensResetAt: '2026-11-30T00:00:00Z',
      costResetsAt: null,
      scope: 'user',
    },
    days: [],
    models: [],
    providers: [],
    ...given,
  };
}

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

describe('useTokenUsage', () => {
  it('tells what was used and what is left, whoever is named', async () => {
    const wire = new Wire().on('GET api/usage', () => json(usage()));
    const { result } = renderHook(() => useTokenUsage('somebody-else'), { wrapper: inside(wire) });
    expect(result.current).toMatchObject({ totalTokens: 0, cost: 0, messagesCount: 0, loading: true });
    await waitFor(() => expect(result.current.loading).toBe(false));
    expect(result.current).toMatchObject({
      totalTokens: 30,
      cost: 0.0375,
      costExact: '0.0375',
      messagesCount: 2,
      error: null,
    });
    expect(result.current.remaining?.tokens).toBe(70);
    for (const { query } of wire.calls('GET api/usage')) expect([...query.keys()]).toEqual([]);
  });

  it('looks again once an answer has come to its end', async () => {
    let answers = 0;
    const wire = new Wire()
      .on('GET api/usage', () => json(usage({ totalTokens: 30 * answers, messagesCount: 2 * answers })))
      .on('POST api/conversations', ({ body }) => json(conversation(body)))
      .on(`GET api/conversations/${CONVERSATION_ID}`, () => json(conversation()))
      .on('POST api/chat/send', () => {
        answers += 1;
        return stream(run(['Hello']));
      });
    const { result } = renderHook(() => ({ chat: useChat(), usage: useTokenUsage() }), {
      wrapper: inside(wire),
    });
    await waitFor(() => expect(result.current.usage.loading).toBe(false));
    const before = wire.calls('GET api/usage').length;
    await act(() => result.current.chat.sendMessage('Hi'));
    await waitFor(() => expect(result.current.usage.totalTokens).toBe(30));
    expect(result.current.usage.messagesCount).toBe(2);
    expect(result.current.usage.loading).toBe(false);
    expect(wire.calls('GET api/usage').length).toBe(before + 1);
  });

  it('keeps what it knows when it can’t look again, and says so', async () => {
    const wire = new Wire().on('GET api/usage', () => json(usage()));
    const { result } = renderHook(() => useTokenUsage(undefined, { since: '2026-11-01' }), {
      wrapper: inside(wire),
    });
    await waitFor(() => expect(result.current.totalTokens).toBe(30));
    expect(wire.calls('GET api/usage').at(-1)?.query.get('since')).toBe('2026-11-01');
    wire.on('GET api/usage', () => refused(503, 'store_unavailable'));
    act(() => result.current.refresh());
    await waitFor(() => expect(result.current.error?.message).toBe('Refused: store_unavailable.'));
    expect(result.current.totalTokens).toBe(30);
    wire.on('GET api/usage', () => json(usage({ totalTokens: 31 })));
    act(() => result.current.refresh());
    await waitFor(() => expect(result.current.totalTokens).toBe(31));
    expect(result.current.error).toBeNull();
  });

  it('shows nothing of another time once another is asked for', async () => {
    const wire = new Wire().on('GET api/usage', () => json(usage()));
    const { result, rerender } = renderHook(({ since }) => useTokenUsage(undefined, { since }), {
      wrapper: inside(wire),
      initialProps: { since: '2026-11-01' },
    });
    await waitFor(() => expect(result.current.totalTokens).toBe(30));
    wire.on('GET api/usage', () => refused(503, 'store_unavailable'));
    rerender({ since: '2026-10-01' });
    expect(result.current).toMatchObject({ loading: true, totalTokens: 0, costExact: '0', usage: null });
    await waitFor(() => expect(result.current.error).not.toBeNull());
    expect(result.current.totalTokens).toBe(0);
  });

  it('is at its end with an error where nothing was known', async () => {
    const wire = new Wire().on('GET api/usage', () => refused(401, 'not_authenticated'));
    const { result } = renderHook(() => useTokenUsage(), { wrapper: inside(wire) });
    await waitFor(() => expect(result.current.error).not.toBeNull());
    expect(result.current).toMatchObject({ loading: false, totalTokens: 0, remaining: null });
  });
});
