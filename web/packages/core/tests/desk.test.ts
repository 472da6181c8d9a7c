/** Runs that wait for somebody: leave is given or not, tools of the page answer by themselves, others are faster. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Chat, type ClientTools, waitingCalls } from '../src/index.js';
import { CONVERSATION_ID, conversation, json, message, openStream, refused, run, Wire } from './wire.js';

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;
const RUN = 'api/chat/runs/r1';
const [START] = run([]);

afterEach(() => vi.unstubAllGlobals());

/** A run that calls a tool and waits; `waits` is what the server says that it waits for. */
function paused(name: string, needs: 'approval' | 'output') {
  const { response, tell, end } = openStream();
  const call = { id: 'c1', name, needs, arguments: '{"n":2}' };
  const state = { waits: true };
  const runForm = () =>
    json({
      id: 'r1',
      status: state.waits ? 'requires_action' : 'in_progress',
      requiredAction: state.waits ? { calls: [call], expiresAt: '2030-01-01T00:00:00Z' } : null,
    });
  const finish = (result: string, status = 'completed') => {
    state.waits = false;
    tell({ type: 'tool_result', id: 'c1', status, result, seq: 5 });
    tell({ content: 'So.', seq: 6 });
    tell({ type: 'done', messageId: 'a1', status: 'completed', seq: 7 });
    end();
  };
  const wire = new Wire()
    .on('POST api/conversations', () => json(conversation(), 201))
    .on(`GET ${CONVERSATION}/messages/a1`, () => json(message('a1', { role: 'assistant', content: 'So.' })))
    .on(`GET ${RUN}`, runForm)
    .on('POST api/chat/send', () => {
      tell(START);
      tell({ type: 'tool_call', id: 'c1', name, seq: 2 });
      tell({ type: 'tool_arguments', id: 'c1', text: '{"n":2}', seq: 3 });
      tell({ type: 'requires_action', calls: [call], seq: 4 });
      return response;
    });
  return { wire, state, finish, runForm };
}

function chatOf(wire: Wire, tools?: ClientTools): Chat {
  return new Chat({ client: wire.client(), wait: async () => {}, settings: () => (tools ? { tools } : {}) });
}

function lastParts(chat: Chat) {
  return chat.state.messages.at(-1)?.told;
}

async function waiting(chat: Chat): Promise<void> {
  await vi.waitFor(() => expect(chat.state.run?.expiresAt).toBe('2030-01-01T00:00:00Z'));
}

describe('leave to call', () => {
  it.each([true, false])('is given or not (%s), and the run goes on', async approve => {
    const { wire, finish, state, runForm } = paused('send_mail', 'approval');
    wire.on(`POST ${RUN}/approvals`, () => {
      state.waits = false;
      return runForm();
    });
    const chat = chatOf(wire);
    const sending = chat.send('Hi');
    await waiting(chat);
    expect(waitingCalls(chat.state.run?.parts ?? [])).toMatchObject([{ id: 'c1', needs: 'approval' }]);
    await chat.decide('c1', approve);
    expect(wire.calls(`POST ${RUN}/approvals`)[0]?.body).toEqual({ id: 'c1', approve });
    expect(lastParts(chat)).toMatchObject([{ state: 'running' }]);
    finish('sent');
    await sending;
    expect(lastParts(chat)).toMatchObject([{ state: 'completed', result: 'sent' }, { text: 'So.' }]);
    expect(chat.state.error).toBeNull();
  });

  it('comes too late where somebody else decided: it is said, and the run is followed on', async () => {
    const { wire, finish, state } = paused('send_mail', 'approval');
    wire.on(`POST ${RUN}/approvals`, () => {
      state.waits = false;
      return refused(409, 'run_not_waiting');
    });
    const chat = chatOf(wire);
    const sending = chat.send('Hi');
    await waiting(chat);
    await chat.decide('c1', true);
    expect(chat.state.error).toMatchObject({ at: 'action', code: 'run_not_waiting', retryable: false });
    expect(chat.state.run).not.toBeNull();
    finish('denied', 'denied');
    await sending;
    expect(lastParts(chat)).toMatchObject([{ state: 'denied' }, { text: 'So.' }]);
  });

  it('can be given again where it did not arrive', async () => {
    const { wire, finish } = paused('send_mail', 'approval');
    wire.on(`POST ${RUN}/approvals`, () => refused(503, 'draining'));
    const chat = chatOf(wire);
    const sending = chat.send('Hi');
    await waiting(chat);
    await chat.decide('c1', true);
    expect(chat.state.error).toMatchObject({ at: 'action', retryable: true });
    expect(lastParts(chat)).toMatchObject([{ state: 'waiting' }]);
    await chat.retry();
    expect(chat.state.error).toBeNull();
    finish('sent');
    await sending;
  });

  it('is looked for once more where the pause is not stored yet', async () => {
    const { wire, finish, state, runForm } = paused('send_mail', 'approval');
    state.waits = false;
    let looks = 0;
    wire.on(`GET ${RUN}`, () => {
      looks += 1;
      state.waits = looks > 1;
      return runForm();
    });
    const chat = chatOf(wire);
    const sending = chat.send('Hi');
    await waiting(chat);
    expect(lastParts(chat)).toMatchObject([{ state: 'waiting' }]);
    finish('sent');
    await sending;
  });
});

describe('tools of the page', () => {
  const double = { description: 'Doubles.', parameters: { type: 'object' }, run: vi.fn() };

  function answering(wire: Wire, finish: (result: string) => void, runForm: () => Response) {
    wire.on(`POST ${RUN}/tool-outputs`, ({ body }) => {
      const [output] = body.outputs as { output: string }[];
      finish(output?.output ?? '');
      return runForm();
    });
  }

  it('are told to the model and answer by themselves', async () => {
    const { wire, finish, runForm } = paused('double', 'output');
    answering(wire, finish, runForm);
    double.run.mockImplementation(({ n }: { n: number }) => ({ twice: n * 2 }));
    const chat = chatOf(wire, { double });
    await chat.send('Hi');
    expect(wire.calls('POST api/chat/send')[0]?.body.tools).toEqual([
      { name: 'double', description: 'Doubles.', parameters: { type: 'object' } },
    ]);
    expect(double.run).toHaveBeenCalledExactlyOnceWith({ n: 2 }, { runId: 'r1', callId: 'c1' });
    expect(wire.calls(`POST ${RUN}/tool-outputs`).map(({ body }) => body)).toEqual([
      { outputs: [{ id: 'c1', output: '{"twice":4}' }] },
    ]);
    expect(lastParts(chat)).toMatchObject([{ state: 'completed', result: '{"twice":4}' }, { text: 'So.' }]);
  });

  it('tell the model what they throw', async () => {
    const { wire, finish, runForm } = paused('double', 'output');
    answering(wire, finish, runForm);
    double.run.mockImplementation(() => {
      throw new Error('No numbers today.');
    });
    await chatOf(wire, { double }).send('Hi');
    expect(wire.calls(`POST ${RUN}/tool-outputs`)[0]?.body).toEqual({
      outputs: [{ id: 'c1', output: 'No numbers today.', isError: true }],
    });
  });

  it('answer once, whichever window of the browser does', async () => {
    let before: Promise<unknown> = Promise.resolve();
    const request = (_: string, __: unknown, work: () => Promise<void>) => {
      before = before.then(work);
      return before;
    };
    vi.stubGlobal('navigator', { locks: { request } });
    const { wire, finish, state, runForm } = paused('double', 'output');
    wire.on(`POST ${RUN}/tool-outputs`, () => {
      state.waits = false;
      return runForm();
    });
    let give: (output: string) => void = () => {};
    const given = new Promise<string>(resolve => {
      give = resolve;
    });
    double.run.mockReset().mockReturnValue(given);
    const writing = message('a1', { role: 'assistant', content: '', status: 'in_progress', runId: 'r1' });
    const other = openStream();
    wire
      .on(`GET ${CONVERSATION}`, () => json(conversation()))
      .on(`GET ${CONVERSATION}/messages`, () => json({ items: [writing], nextCursor: null }))
      .on(`GET ${RUN}/events`, () => other.response);
    const first = chatOf(wire, { double });
    const sending = first.send('Hi');
    const second = chatOf(wire, { double });
    await second.open(CONVERSATION_ID);
    other.tell(START);
    other.tell({ type: 'tool_call', id: 'c1', name: 'double', seq: 2 });
    const call = { id: 'c1', name: 'double', needs: 'output', arguments: '{}' };
    other.tell({ type: 'requires_action', calls: [call], seq: 3 });
    // Both have seen what the run waits for, and one of them has begun.
    await vi.waitFor(() => expect(second.state.run?.expiresAt).not.toBeNull());
    await new Promise(resolve => setTimeout(resolve, 20));
    give('4');
    await vi.waitFor(() => expect(state.waits).toBe(false));
    finish('4');
    await sending;
    await before;
    expect(double.run).toHaveBeenCalledOnce();
    expect(wire.calls(`POST ${RUN}/tool-outputs`)).toHaveLength(1);
    second.close();
  });

  it('bring the same output again where it did not arrive', async () => {
    const { wire, finish, runForm } = paused('double', 'output');
    double.run.mockReset().mockReturnValue('4');
    wire.on(`POST ${RUN}/tool-outputs`, () => refused(503, 'draining'));
    const chat = chatOf(wire, { double });
    const sending = chat.send('Hi');
    await vi.waitFor(() => expect(chat.state.error).toMatchObject({ at: 'action', retryable: true }));
    answering(wire, finish, runForm);
    await chat.retry();
    await sending;
    expect(double.run).toHaveBeenCalledOnce();
    expect(chat.state.error).toBeNull();
  });

  it('leave to the person what they have no handler for, be it named as every object is', async () => {
    for (const name of ['ask_user', 'toString']) {
      const { wire, finish, runForm } = paused(name, 'output');
      answering(wire, finish, runForm);
      const chat = chatOf(wire, { ask_user: { description: 'Asks.' } });
      const sending = chat.send('Hi');
      await waiting(chat);
      await chat.bring('c1', 'blue');
      await sending;
      expect(lastParts(chat)).toMatchObject([{ state: 'completed', result: 'blue' }, { text: 'So.' }]);
    }
  });
});

describe('a result that is too long for the stream', () => {
  it('is fetched with the message', async () => {
    const { response, tell, end } = openStream();
    const parts = [
      { type: 'tool_call', id: 'c1', name: 'x', arguments: '{}' },
      { type: 'tool_result', id: 'c1', name: 'x', status: 'completed', result: 'all of it' },
    ] as const;
    const wire = new Wire()
      .on('POST api/conversations', () => json(conversation(), 201))
      .on(`GET ${CONVERSATION}/messages/a1`, () => json(message('a1', { role: 'assistant', parts })))
      .on('POST api/chat/send', () => response);
    const chat = chatOf(wire);
    const sending = chat.send('Hi');
    tell(START);
    tell({ type: 'tool_call', id: 'c1', name: 'x', seq: 2 });
    tell({ type: 'tool_result', id: 'c1', status: 'completed', result: 'all', truncated: true, seq: 3 });
    tell({ type: 'done', messageId: 'a1', status: 'completed', seq: 4 });
    end();
    await sending;
    expect(chat.state.messages.at(-1)).toMatchObject({ parts });
    expect(lastParts(chat)).toBeUndefined();
  });
});

describe('the model that is chosen', () => {
  it('goes with each question and is remembered by the conversation', async () => {
    const { wire, finish } = paused('x', 'approval');
    wire
      .on(`GET ${CONVERSATION}`, () => json(conversation({ provider: 'a', model: 'b' })))
      .on(`GET ${CONVERSATION}/messages`, () => json({ items: [], nextCursor: null }))
      .on(`PATCH ${CONVERSATION}`, ({ body }) => json(conversation(body)));
    const chat = new Chat({ client: wire.client(), settings: () => ({ provider: 'p', model: 'm' }) });
    await chat.open(CONVERSATION_ID);
    await chat.choose('fake/two');
    expect(wire.calls(`PATCH ${CONVERSATION}`)[0]?.body).toEqual({ provider: null, model: 'fake/two' });
    expect(chat.state.conversation).toMatchObject({ provider: null, model: 'fake/two' });
    const sending = chat.send('Hi');
    await vi.waitFor(() => expect(chat.state.run?.parts).toHaveLength(1));
    finish('x');
    await sending;
    const body = wire.calls('POST api/chat/send')[0]?.body;
    expect(body).toMatchObject({ model: 'fake/two' });
    expect(body).not.toHaveProperty('provider');
  });

  it('makes a new conversation its own', async () => {
    const { wire, finish } = paused('x', 'approval');
    const chat = chatOf(wire);
    await chat.choose('fake/two');
    const sending = chat.send('Hi');
    await vi.waitFor(() => expect(chat.state.run?.parts).toHaveLength(1));
    expect(wire.calls('POST api/conversations')[0]?.body).toMatchObject({ model: 'fake/two' });
    finish('x');
    await sending;
  });
});
