/** The whole chat, used by keyboard as a person would use it. */
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
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
} from '../../core/tests/wire.js';
import { ChatInterface, type ChatInterfaceProps, ProsaProvider } from '../src/index.js';

afterEach(cleanup);

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;
const TALK = [
  message('u0', { content: 'First question' }),
  message('a0', { role: 'assistant', content: 'First **answer**', parentId: 'u0', siblings: ['a9', 'a0'] }),
];

function server() {
  return new Wire()
    .on(`GET ${CONVERSATION}`, () => json(conversation()))
    .on(`GET ${CONVERSATION}/messages`, () => json({ items: TALK.toReversed(), nextCursor: null }))
    .on('POST api/conversations', () => json(conversation(), 201))
    .on('POST api/chat/send', () => stream(run(['Hello', ' there'])));
}

async function show(wire: Wire, props: ChatInterfaceProps = { conversationId: CONVERSATION_ID }) {
  const language = 'en';
  render(
    <ProsaProvider client={wire.client()} language={language}>
      <ChatInterface userId="ana" {...props} />
    </ProsaProvider>,
  );
  if (props.conversationId) await screen.findByText('First question');
}

function composer(): HTMLTextAreaElement {
  return screen.getByRole('textbox', { name: 'Message' });
}

function write(text: string, key: Partial<KeyboardEventInit> = { key: 'Enter' }) {
  fireEvent.change(composer(), { target: { value: text } });
  fireEvent.keyDown(composer(), key);
}

describe('ChatInterface', () => {
  it('greets, sends on Enter and shows the answer', async () => {
    await show(server(), {});
    expect(screen.getByRole('heading', { name: 'What shall we talk about?' })).toBeTruthy();
    write('Hi');
    expect(await screen.findByText('Hello there')).toBeTruthy();
    expect(composer().value).toBe('');
  });

  it('breaks the line on Shift+Enter, and waits while a character is composed', async () => {
    const wire = server();
    await show(wire);
    write('Hi', { key: 'Enter', shiftKey: true });
    write('Hi', { key: 'Enter', isComposing: true });
    expect(wire.calls('POST api/chat/send')).toEqual([]);
    expect(composer().value).toBe('Hi');
  });

  it('shows skeletons while the conversation loads', async () => {
    const wire = server();
    render(
      <ProsaProvider client={wire.client()} language="en">
        <ChatInterface conversationId={CONVERSATION_ID} />
      </ProsaProvider>,
    );
    expect(screen.getByRole('status').textContent).toContain('Loading the conversation');
    await screen.findByText('First question');
    expect(screen.queryByRole('status')).toBeNull();
  });

  it('edits the last message on ArrowUp, and Escape leaves it be', async () => {
    const wire = server();
    await show(wire);
    fireEvent.keyDown(composer(), { key: 'ArrowUp' });
    expect(composer().value).toBe('First question');
    fireEvent.keyDown(document, { key: 'Escape' });
    expect(composer().value).toBe('');
    fireEvent.keyDown(composer(), { key: 'ArrowUp' });
    write('Better question');
    await screen.findByText('Hello there');
    expect(screen.queryByText('First question')).toBeNull();
    expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ parentId: null });
  });

  it('stops on Escape', async () => {
    const { response, tell, end } = openStream();
    const wire = server()
      .on('POST api/chat/send', () => response)
      .on('POST api/chat/runs/r1/stop', () => {
        tell({ type: 'done', messageId: 'a1', status: 'cancelled', seq: 3 });
        end();
        return json({});
      });
    await show(wire);
    write('Hi');
    await act(async () => {
      tell(run([])[0]);
      tell({ content: 'Half an', seq: 2 });
    });
    await screen.findByText('Half an');
    expect(screen.getByRole('button', { name: 'Stop' })).toBeTruthy();
    fireEvent.keyDown(document, { key: 'Escape' });
    expect(await screen.findByText('This answer is not complete.')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Send' })).toBeTruthy();
  });

  it('says what went wrong where it happened, with a way on', async () => {
    const wire = server().on('POST api/chat/send', () => refused(503, 'draining'));
    await show(wire);
    write('Hi');
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('Refused: draining.');
    wire.on('POST api/chat/send', () => stream(run(['Hello'])));
    fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Hello')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('leads away from a conversation that does not exist', async () => {
    const onStartOver = vi.fn();
    await show(new Wire(), { onStartOver });
    cleanup();
    render(
      <ProsaProvider client={new Wire().client()} language="en">
        <ChatInterface conversationId={CONVERSATION_ID} onStartOver={onStartOver} />
      </ProsaProvider>,
    );
    fireEvent.click(await screen.findByRole('button', { name: 'New conversation' }));
    expect(onStartOver).toHaveBeenCalledOnce();
  });

  it('answers again, and leads to the other versions', async () => {
    const wire = server().on(`PATCH ${CONVERSATION}`, () => json(conversation()));
    await show(wire);
    expect(screen.getByText('2/2')).toBeTruthy();
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Previous version' })));
    expect(wire.calls(`PATCH ${CONVERSATION}`)[0]?.body).toEqual({ headId: 'a9' });
    fireEvent.click(await screen.findByRole('button', { name: 'Answer again' }));
    await waitFor(() =>
      expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ regenerate: 'a0' }),
    );
    expect(await screen.findByText('3/3')).toBeTruthy();
  });

  it('says of an answer that it was kept', async () => {
    const kept = {
      role: 'assistant',
      content: 'Kept.',
      parentId: 'u0',
      cachedAt: '2026-01-01T10:00:00Z',
    } as const;
    const wire = server();
    wire.on(`GET ${CONVERSATION}/messages`, () =>
      json({ items: [message('a0', kept), TALK[0]], nextCursor: null }),
    );
    await show(wire);
    expect(screen.getByText(/^Kept answer of .*2026.* “Answer again”/)).toBeTruthy();
  });

  it('reads the answer to screen readers in sentences', async () => {
    const sentence = 'This is a sentence that is long enough to be read aloud without chopping it up. ';
    const wire = server().on('POST api/chat/send', () => stream(run([sentence, 'And **more**'])));
    await show(wire);
    write('Hi');
    await waitFor(() => expect(screen.getByRole('log').textContent).toContain('The answer is complete.'));
    expect(screen.getByRole('log').textContent).toContain('And more');
  });

  it('cannot be written to when it is closed', async () => {
    await show(server().on(`GET ${CONVERSATION}`, () => json(conversation({ status: 'closed' }))));
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(screen.getByText('This conversation is closed.')).toBeTruthy();
  });

  it('speaks Portuguese', async () => {
    render(
      <ProsaProvider client={server().client()} language="pt-BR">
        <ChatInterface />
      </ProsaProvider>,
    );
    expect(screen.getByRole('textbox', { name: 'Mensagem' })).toBeTruthy();
  });
});
