/** How the state of a conversation changes with what happens. */
import { describe, expect, it } from 'vitest';
import { answerDraft, questionDraft } from '../src/draft.js';
import { type Action, type ConversationState, EMPTY, type RunEvent, reduce } from '../src/index.js';
import { conversation, message, run } from './wire.js';

function after(...actions: readonly Action[]): ConversationState {
  return actions.reduce(reduce, EMPTY);
}

function told(...events: readonly unknown[]): Action[] {
  return events.map((event, index) => {
    const { type = 'text', ...rest } = event as { type?: string };
    return { type: 'event', event: { seq: index + 1, ...rest, type } as unknown as RunEvent };
  });
}

const SENT: Action = {
  type: 'sent',
  after: 0,
  question: questionDraft({ id: 'q', content: 'Hi', parentId: null }),
  answer: answerDraft('a', 'q'),
};
const OPENED: Action = {
  type: 'opened',
  conversation: conversation(),
  messages: [message('u0'), message('a0', { role: 'assistant', siblings: ['a0'] })],
  older: null,
};

describe('reduce', () => {
  it('gives a question and its answer their ids, and lets their rows be what they were', () => {
    const state = after(OPENED, { ...SENT, after: 2 }, ...told(...run(['Hello', ' there'])));
    const [question, answer] = state.messages.slice(2);
    expect(question).toMatchObject({ id: 'u1', localId: 'q', siblings: ['u1'], content: 'Hi' });
    expect(answer).toMatchObject({ id: 'a1', localId: 'a', parentId: 'u1', runId: 'r1' });
    expect(answer).toMatchObject({ content: 'Hello there', status: 'completed' });
    expect(state.run).toBeNull();
  });

  it('puts another answer beside the one that it replaces', () => {
    const old = message('a0', { role: 'assistant', siblings: ['a0'] });
    const answer = answerDraft('a', 'u0', old);
    const state = after(
      OPENED,
      { type: 'sent', after: 1, question: null, answer },
      ...told(...run(['New'], { question: 'u0' })),
    );
    expect(state.messages.map(({ id }) => id)).toEqual(['u0', 'a1']);
    expect(state.messages[1]?.siblings).toEqual(['a0', 'a1']);
  });

  it('keeps the stored text in sight until a late reader has caught up with it', () => {
    const stored = message('a1', {
      role: 'assistant',
      content: 'One two',
      status: 'in_progress',
      runId: 'r1',
    });
    let state = after(
      { ...OPENED, messages: [message('u1'), stored] },
      { type: 'following', runId: 'r1', messageId: 'a1' },
    );
    const shown: (string | undefined)[] = [];
    for (const action of told(...run(['One ', 'two', ' three']))) {
      state = reduce(state, action);
      shown.push(state.messages[1]?.content);
    }
    expect(shown).toEqual(['One two', 'One two', 'One two', 'One two three', 'One two three']);
  });

  it('forgets the text at a reset', () => {
    const [start] = run([]);
    const state = after(
      SENT,
      ...told(start, { content: 'Wrong' }, { type: 'reset', reason: 'fallback' }, { content: 'Right' }),
    );
    expect(state.messages[1]?.content).toBe('Right');
  });

  it('keeps the partial answer when a run fails', () => {
    const [start] = run([]);
    const error = { type: 'error', code: 'provider_error', message: 'Busy.', retryable: true };
    const state = after(SENT, ...told(start, { content: 'Half' }, error));
    expect(state.messages[1]).toMatchObject({ content: 'Half', status: 'incomplete' });
    expect(state.error).toEqual({ code: 'provider_error', message: 'Busy.', retryable: true, at: 'run' });
    expect(state.run).toBeNull();
  });

  it('calls a stopped answer incomplete', () => {
    const [start] = run([]);
    const done = { type: 'done', messageId: 'a1', status: 'cancelled' };
    const state = after(SENT, ...told(start, { content: 'Half' }, done));
    expect(state.messages[1]?.status).toBe('incomplete');
  });

  it('tells of the line', () => {
    const [start] = run([]);
    const state = after(SENT, ...told(start, { type: 'queued', place: 3 }));
    expect(state.run?.place).toBe(3);
    expect(after(SENT, ...told(start, { type: 'queued', place: 3 }, { content: 'x' })).run?.place).toBeNull();
  });

  it('puts earlier messages before the shown ones', () => {
    const state = after(
      { ...OPENED, older: 'c1' },
      { type: 'loading_older' },
      { type: 'older', messages: [message('z')], older: null },
    );
    expect(state.messages.map(({ id }) => id)).toEqual(['z', 'u0', 'a0']);
    expect(state).toMatchObject({ older: null, loadingOlder: false });
  });

  it('leaves every other message the object that it was', () => {
    const before = after(OPENED, { ...SENT, after: 2 }, ...told(run([])[0]));
    const next = reduce(before, { type: 'event', event: { type: 'text', content: 'x', seq: 2 } });
    expect(next.messages[0]).toBe(before.messages[0]);
    expect(next.messages[2]).toBe(before.messages[2]);
    expect(next.messages[3]).not.toBe(before.messages[3]);
  });
});
