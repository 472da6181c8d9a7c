/** What is sent with a message, and what is written before: files, templates, opinions, keys. */
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
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
import { ChatInput, ChatInterface, type ChatInterfaceProps, ProsaProvider } from '../src/index.js';
import { isBare, isPressed, keysOf } from '../src/shortcuts/keys.js';
import { ago } from '../src/Time.js';

afterEach(() => {
  cleanup();
  localStorage.clear();
});

const CONVERSATION = `api/conversations/${CONVERSATION_ID}`;
const ANSWER = message('a0', { role: 'assistant', content: 'An answer', parentId: 'u0' });
const TEMPLATE = {
  id: 't1',
  name: 'Letter',
  description: null,
  content: 'Dear {{who}}',
  variables: [{ name: 'who', label: 'Who', type: 'text', required: true, default: null, choices: [] }],
  shared: false,
  clientId: null,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
};

function server() {
  return new Wire()
    .on(`GET ${CONVERSATION}`, () => json(conversation()))
    .on(`GET ${CONVERSATION}/messages`, () => json({ items: [ANSWER, message('u0')], nextCursor: null }))
    .on('POST api/chat/send', () => stream(run(['Hello'])))
    .on('POST api/files', ({ form }) => {
      const file = form?.get('file');
      if (!(file instanceof File) || file.name.endsWith('.exe')) return refused(415, 'unsupported_file');
      return json({ id: `f-${file.name}`, name: file.name, mediaType: file.type, size: file.size }, 201);
    })
    .on('GET api/templates', () => json({ items: [TEMPLATE], nextCursor: null }))
    .on('POST api/templates/t1/fill', ({ body }) =>
      json({ text: `Dear ${(body.values as { who: string }).who}` }),
    );
}

async function show(wire: Wire, props: ChatInterfaceProps = {}) {
  const shown = render(
    <ProsaProvider client={wire.client()} language="en">
      <ChatInterface conversationId={CONVERSATION_ID} {...props} />
    </ProsaProvider>,
  );
  await screen.findByText('An answer');
  return shown;
}

function composer(): HTMLTextAreaElement {
  return screen.getByRole('textbox', { name: 'Message' });
}

function choose(container: HTMLElement, ...names: string[]) {
  const input = container.querySelector('input[type="file"]');
  if (!input) throw new Error('There is no field for files.');
  const files = names.map(name => new File(['abc'], name, { type: 'text/plain' }));
  fireEvent.change(input, { target: { files } });
}

describe('files', () => {
  it('go with the message, even without a text', async () => {
    const wire = server();
    const { container } = await show(wire);
    choose(container, 'a.txt');
    await screen.findByText('3 bytes');
    const send = screen.getByRole('button', { name: 'Send' });
    expect(send).toHaveProperty('disabled', false);
    fireEvent.click(send);
    await screen.findByText('Hello');
    const { body } = wire.calls('POST api/chat/send')[0] ?? {};
    expect(body).toMatchObject({ attachments: ['f-a.txt'] });
    expect(body).not.toHaveProperty('content');
    expect(within(screen.getByRole('list', { name: 'Attachments' })).getByText('a.txt')).toBeTruthy();
  });

  it('that are refused say why, and are taken out', async () => {
    const { container } = await show(server());
    choose(container, 'a.exe');
    expect((await screen.findByRole('alert')).textContent).toBe('Refused: unsupported_file.');
    fireEvent.click(screen.getByRole('button', { name: 'Take out a.exe' }));
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('are not offered where the host takes none', async () => {
    await show(server(), { attachments: false, templates: false, feedback: false });
    expect(screen.queryByRole('button', { name: 'Attach files' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Use a template' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Good answer' })).toBeNull();
  });
});

describe('templates', () => {
  it('are found by a slash, filled and inserted', async () => {
    await show(server());
    fireEvent.keyDown(composer(), { key: '/' });
    await screen.findByRole('option', { name: /Letter/ });
    fireEvent.keyDown(screen.getByRole('combobox'), { key: 'Enter' });
    fireEvent.change(screen.getByLabelText(/Who/), { target: { value: 'Ana' } });
    fireEvent.click(screen.getByRole('button', { name: 'Insert' }));
    await waitFor(() => expect(composer().value).toBe('Dear Ana'));
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('that cannot be loaded can be asked for again', async () => {
    const wire = server().on('GET api/templates', () => refused(500, 'internal'));
    await show(wire);
    fireEvent.click(screen.getByRole('button', { name: 'Use a template' }));
    const alert = await screen.findByRole('alert');
    wire.on('GET api/templates', () => json({ items: [], nextCursor: null }));
    fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('There are no templates yet.')).toBeTruthy();
  });
});

describe('opinions', () => {
  const RATED = `${CONVERSATION}/messages/a0/feedback`;

  it('are kept at once, said in full, and taken back', async () => {
    const wire = server()
      .on(`PUT ${RATED}`, ({ body }) => json(body))
      .on(`DELETE ${RATED}`, () => new Response(null, { status: 204 }));
    await show(wire);
    const thumb = screen.getByRole('button', { name: 'Good answer' });
    fireEvent.click(thumb);
    expect(thumb.getAttribute('aria-pressed')).toBe('true');
    fireEvent.click(screen.getByRole('radio', { name: '5' }));
    fireEvent.click(screen.getByRole('checkbox', { name: 'Clear' }));
    fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Send' }));
    const said = { thumb: 'up', rating: 5, tags: ['clear'], comment: null };
    await waitFor(() =>
      expect(
        wire
          .calls(`PUT ${RATED}`)
          .map(({ body }) => body)
          .at(-1),
      ).toEqual(said),
    );
    fireEvent.click(thumb);
    expect(screen.getByRole<HTMLInputElement>('radio', { name: '5' }).checked).toBe(true);
    fireEvent.click(screen.getByRole('button', { name: 'Take it back' }));
    await waitFor(() => expect(wire.calls(`DELETE ${RATED}`)).toHaveLength(1));
    expect(thumb.getAttribute('aria-pressed')).toBe('false');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('are left by the focus as by a press elsewhere', async () => {
    await show(server().on(`PUT ${RATED}`, ({ body }) => json(body)));
    const thumb = screen.getByRole('button', { name: 'Good answer' });
    fireEvent.click(thumb);
    act(() => screen.getByRole('radio', { name: '5' }).focus());
    act(() => thumb.focus());
    expect(screen.getByRole('dialog')).toBeTruthy();
    act(() => screen.getByRole('radio', { name: '5' }).focus());
    act(() => screen.getByRole('button', { name: 'Answer again' }).focus());
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('stay while Escape takes back what is being composed', async () => {
    await show(server().on(`PUT ${RATED}`, ({ body }) => json(body)));
    fireEvent.click(screen.getByRole('button', { name: 'Good answer' }));
    const words = screen.getByLabelText('Anything else?');
    fireEvent.keyDown(words, { key: 'Escape', isComposing: true });
    expect(screen.getByRole('dialog')).toBeTruthy();
    fireEvent.keyDown(words, { key: 'Escape' });
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('of the other kind begin anew, though the first is still being told', async () => {
    const wire = server().on(`PUT ${RATED}`, ({ body }) => json(body));
    await show(wire);
    fireEvent.click(screen.getByRole('button', { name: 'Good answer' }));
    fireEvent.click(screen.getByRole('radio', { name: '5' }));
    fireEvent.click(screen.getByRole('button', { name: 'Bad answer' }));
    expect(screen.getByRole<HTMLInputElement>('radio', { name: '5' }).checked).toBe(false);
    fireEvent.click(screen.getByRole('checkbox', { name: 'Wrong' }));
    fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Send' }));
    const said = { thumb: 'down', rating: null, tags: ['wrong'], comment: null };
    await waitFor(() => expect(wire.calls(`PUT ${RATED}`).at(-1)?.body).toEqual(said));
  });
});

describe('the menu', () => {
  it('clears the conversation once that was confirmed', async () => {
    const wire = server().on(`DELETE ${CONVERSATION}/messages`, () => new Response(null, { status: 204 }));
    await show(wire);
    fireEvent.click(screen.getByRole('button', { name: 'More' }));
    fireEvent.click(screen.getByRole('menuitem', { name: 'Clear the conversation' }));
    expect(wire.calls(`DELETE ${CONVERSATION}/messages`)).toEqual([]);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Clear' })));
    expect(screen.queryByText('An answer')).toBeNull();
    expect(wire.calls(`DELETE ${CONVERSATION}/messages`)).toHaveLength(1);
  });

  it('lists the keys, of which single ones can be turned off', async () => {
    await show(server());
    fireEvent.keyDown(document.body, { key: '?', shiftKey: true });
    const dialog = screen.getByRole('dialog', { name: 'Keyboard shortcuts' });
    expect(dialog.textContent).toContain('Copy the last answer');
    fireEvent.click(within(dialog).getByRole('checkbox'));
    fireEvent.click(within(dialog).getByRole('button', { name: 'Close' }));
    fireEvent.keyDown(document.body, { key: '?', shiftKey: true });
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('leaves keys alone while something is written', async () => {
    await show(server());
    fireEvent.keyDown(composer(), { key: '?', shiftKey: true });
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('a summary', () => {
  it('is folded away among the messages', async () => {
    const items = [ANSWER, message('s', { role: 'system', kind: 'summary', content: 'It was about bread.' })];
    await show(server().on(`GET ${CONVERSATION}/messages`, () => json({ items, nextCursor: null })));
    const fold = screen.getByText('Earlier messages were summarised').closest('details');
    expect(fold?.open).toBe(false);
    expect(fold?.textContent).toContain('It was about bread.');
  });
});

describe('ChatInput', () => {
  it('is a message field with a button, as small as that', () => {
    const onSend = vi.fn();
    render(<ChatInput onSend={onSend} disabled={false} placeholder="Type your message..." />);
    fireEvent.change(screen.getByPlaceholderText('Type your message...'), { target: { value: ' Hi ' } });
    fireEvent.click(screen.getByRole('button'));
    expect(onSend).toHaveBeenCalledExactlyOnceWith('Hi');
    expect(screen.getAllByRole('button')).toHaveLength(1);
  });
});

describe('ago', () => {
  const now = Date.parse('2026-05-10T12:00:00Z');

  it.each([
    ['2026-05-10T11:59:40Z', 'now', 'agora'],
    ['2026-05-10T12:00:20Z', 'now', 'agora'],
    ['2026-05-10T11:55:00Z', '5 min. ago', 'há 5 min'],
    ['2026-05-10T09:00:00Z', '3 hr. ago', 'há 3 h'],
    ['2026-05-09T11:00:00Z', 'yesterday', 'ontem'],
    ['2026-04-01T12:00:00Z', 'Apr 1, 2026', '1 de abr. de 2026'],
  ])('%s is %s', (time, en, pt) => {
    expect(ago(Date.parse(time), now, 'en')).toBe(en);
    expect(ago(Date.parse(time), now, 'pt-BR').replace(/\.$/, '')).toBe(pt);
  });
});

describe('keys', () => {
  it.each([
    ['mod+k', { key: 'k', ctrlKey: true }, true],
    ['mod+k', { key: 'k' }, false],
    ['mod+k', { key: 'K', ctrlKey: true, shiftKey: true }, false],
    ['?', { key: '?', shiftKey: true }, true],
    ['?', { key: '?', ctrlKey: true }, false],
    ['c', { key: 'c' }, true],
    ['c', { key: 'c', metaKey: true }, false],
    ['shift+Escape', { key: 'Escape', shiftKey: true }, true],
    ['shift+Escape', { key: 'Escape' }, false],
  ])('%s is pressed by %o: %s', (keys, event, is) => {
    expect(isPressed(new KeyboardEvent('keydown', event), keys)).toBe(is);
  });

  it('are named as on the keyboard', () => {
    expect(keysOf('mod+shift+o')).toEqual(['Ctrl', 'Shift', 'O']);
    expect(keysOf('ArrowUp')).toEqual(['↑']);
    expect([isBare('c'), isBare('mod+k'), isBare('Escape')]).toEqual([true, false, false]);
  });
});
