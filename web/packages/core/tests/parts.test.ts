/** An answer of many parts: as it is told, as it begins anew, as it was stored. */
import { describe, expect, it } from 'vitest';
import { answerDraft, questionDraft } from '../src/draft.js';
import {
  type Action,
  type AnswerPart,
  type ConversationState,
  EMPTY,
  type RunEvent,
  reduce,
  storedParts,
} from '../src/index.js';
import type { Part } from '../src/types.js';
import { conversation, message, run } from './wire.js';

const [START] = run([]);
const SENT: Action = {
  type: 'sent',
  after: 0,
  question: questionDraft({ id: 'q', content: 'Hi', parentId: null }),
  answer: answerDraft('a', 'q'),
};

function after(first: readonly Action[], events: readonly unknown[]): ConversationState {
  const told = events.map((event, index): Action => {
    const { type = 'text', ...rest } = event as { type?: string };
    const numbered = { seq: index + 1, ...rest, type } as unknown as RunEvent;
    return { type: 'event', event: numbered, at: 1_000 * index };
  });
  return [...first, ...told].reduce(reduce, EMPTY);
}

function parts(state: ConversationState): readonly AnswerPart[] {
  return state.messages.at(-1)?.told ?? [];
}

function call(id: string, name: string, ...pieces: string[]) {
  return [{ type: 'tool_call', id, name }, ...pieces.map(text => ({ type: 'tool_arguments', id, text }))];
}

function result(id: string, given: string, status = 'completed') {
  return { type: 'tool_result', id, status, result: given };
}

const LOOKED = [
  START,
  { type: 'thinking', text: 'H' },
  { type: 'thinking', text: 'm' },
  { content: 'Let me ' },
  { content: 'look. ' },
  ...call('c1', 'search', '{"q"', ':1}'),
  result('c1', 'found'),
];

describe('parts that are told', () => {
  it('stand in their order, with what each call was asked and gave', () => {
    const state = after([SENT], [...LOOKED, { content: 'Here.' }, { type: 'something_new' }]);
    expect(parts(state)).toMatchObject([
      { type: 'thinking', text: 'Hm' },
      { type: 'text', text: 'Let me look. ' },
      {
        type: 'call',
        name: 'search',
        arguments: '{"q":1}',
        state: 'completed',
        result: 'found',
        took: 3_000,
      },
      { type: 'text', text: 'Here.' },
    ]);
    expect(state.messages.at(-1)?.content).toBe('Let me look. Here.');
  });

  it('call by call, where results come in another order', () => {
    const state = after(
      [SENT],
      [START, ...call('a', 'x'), ...call('b', 'y'), result('b', '2', 'failed'), result('a', '1', 'denied')],
    );
    expect(parts(state)).toMatchObject([
      { id: 'a', state: 'denied', result: '1' },
      { id: 'b', state: 'failed', result: '2' },
    ]);
  });

  it('wait, go on, and are left unanswered where the run ends', () => {
    const asked = {
      type: 'requires_action',
      calls: [{ id: 'a', name: 'x', needs: 'approval', arguments: null }],
    };
    const waiting = after([SENT], [START, ...call('a', 'x'), ...call('b', 'y'), asked]);
    expect(parts(waiting)).toMatchObject([
      { state: 'waiting', needs: 'approval' },
      { state: 'running', needs: null },
    ]);
    const answered = reduce(waiting, { type: 'required', calls: [], expiresAt: null });
    expect(parts(answered)).toMatchObject([{ state: 'running' }, { state: 'running' }]);
    const done = { type: 'done', seq: 9, messageId: 'a1', status: 'cancelled' } as RunEvent;
    expect(parts(reduce(waiting, { type: 'event', event: done }))).toMatchObject([
      { state: 'stopped' },
      { state: 'stopped' },
    ]);
  });

  it('say nothing of the time that somebody took to decide, or that went by while the line was cut', () => {
    const asked = {
      type: 'requires_action',
      calls: [{ id: 'a', name: 'x', needs: 'output', arguments: null }],
    };
    const brought = after([SENT], [START, ...call('a', 'x'), asked, result('a', '1')]);
    expect(parts(brought)).toMatchObject([{ state: 'completed', took: null }]);
    const begun = after([SENT], [START, ...call('b', 'y')]);
    const cut = reduce(begun, { type: 'connection', lost: true });
    const event = { ...result('b', '2'), seq: 3 } as RunEvent;
    expect(parts(reduce(cut, { type: 'event', event, at: 9_000 }))).toMatchObject([{ took: null }]);
  });
});

describe('a reset', () => {
  it('takes back what was written, thought and begun since the last call that was made', () => {
    const state = after(
      [SENT],
      [
        ...LOOKED,
        { type: 'thinking', text: 'x' },
        { content: 'Half' },
        ...call('c2', 'y'),
        { type: 'reset' },
      ],
    );
    expect(parts(state)).toHaveLength(3);
    expect(state.messages.at(-1)?.content).toBe('Let me look. ');
  });

  it('does not double the text that the server says once more', () => {
    const anew = [...LOOKED, { content: 'Half' }, { type: 'reset' }];
    for (const said of [
      [{ content: 'Let me look. ' }, { content: 'The whole.' }],
      [{ content: 'Let me ' }, { content: 'look. The whole.' }],
      [{ content: 'Let me look. The ' }, { content: 'whole.' }],
    ]) {
      const state = after([SENT], [...anew, ...said]);
      expect(state.messages.at(-1)?.content).toBe('Let me look. The whole.');
      expect(parts(state).map(({ type }) => type)).toEqual(['thinking', 'text', 'call', 'text']);
    }
  });

  it('replaces all of an answer that made no call', () => {
    const state = after([SENT], [START, { content: 'Half an' }, { type: 'reset' }, { content: 'A whole' }]);
    expect(parts(state)).toEqual([{ type: 'text', text: 'A whole' }]);
  });

  it('replaces the text also for a reader who came late', () => {
    const stored = message('a1', {
      role: 'assistant',
      content: 'Half an',
      status: 'in_progress',
      runId: 'r1',
    });
    const opened: Action = { type: 'opened', conversation: conversation(), messages: [stored], older: null };
    const following: Action = { type: 'following', runId: 'r1', messageId: 'a1' };
    const state = after(
      [opened, following],
      [START, { content: 'Half an' }, { type: 'reset' }, { content: 'A' }],
    );
    expect(state.messages.at(-1)?.content).toBe('A');
  });
});

describe('stored parts', () => {
  const PARTS = [
    { type: 'thinking', text: 'Hm' },
    { type: 'tool_call', id: 'a', name: 'x', arguments: '{}' },
    { type: 'tool_call', id: 'b', name: 'y', arguments: '{"n":1}' },
    { type: 'tool_result', id: 'a', name: 'x', status: 'denied', result: 'No.' },
    { type: 'text', text: 'So.' },
    { type: 'media', mediaType: 'image/png', url: 'https://a.test/x.png' },
    { type: 'of_another_day' },
  ] as unknown as readonly Part[];

  it('are shown as the told ones are', () => {
    const stored = message('a1', { role: 'assistant', parts: PARTS });
    expect(storedParts(stored)).toMatchObject([
      { type: 'thinking', text: 'Hm' },
      { type: 'call', id: 'a', state: 'denied', result: 'No.', took: null },
      { type: 'call', id: 'b', state: 'stopped', arguments: '{"n":1}', result: null },
      { type: 'text', text: 'So.' },
      { type: 'media', mediaType: 'image/png', name: null },
    ]);
    expect(storedParts({ ...stored, status: 'in_progress' })[2]).toMatchObject({ state: 'running' });
  });

  it('are the text where there are none', () => {
    expect(storedParts(message('m', { content: 'Hi' }))).toEqual([{ type: 'text', text: 'Hi' }]);
    expect(storedParts(message('m', { content: '' }))).toEqual([]);
  });

  it('stay in sight until a late reader has caught up with them', () => {
    const stored = message('a1', { role: 'assistant', parts: PARTS, content: 'So.', status: 'in_progress' });
    const opened: Action = { type: 'opened', conversation: conversation(), messages: [stored], older: null };
    const following: Action = { type: 'following', runId: 'r1', messageId: 'a1' };
    const early = after([opened, following], [START, { type: 'thinking', text: 'Hm' }, ...call('a', 'x')]);
    expect(early.messages.at(-1)?.told).toBeUndefined();
  });
});
