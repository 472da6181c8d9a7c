/** Calls of tools as they are shown, and asked about. */
import type { CallPart, Role } from '@prosa/core';
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { conversation, json, message, openStream, run, Wire } from '../../core/tests/wire.js';
import { ChatInterface, ChatMessage, type ClientTools, ProsaProvider, ToolCall } from '../src/index.js';
import { pretty, seen } from '../src/pretty.js';

afterEach(cleanup);

const CALL: CallPart = {
  type: 'call',
  id: 'c1',
  name: 'weather',
  arguments: '{"city":"Évora","ids":[12345678901234567890,[]]}',
  state: 'completed',
  needs: null,
  result: '<b>clear</b>',
  truncated: false,
  began: null,
  took: 1_234,
};

function show(call: Partial<CallPart>, actions?: Parameters<typeof ToolCall>[0]['actions'], language = 'en') {
  render(
    <ProsaProvider client={new Wire().client()} language={language}>
      <ToolCall call={{ ...CALL, ...call }} actions={actions} />
    </ProsaProvider>,
  );
  return screen.getByRole('region', { name: 'weather' });
}

describe('a call', () => {
  it('is a quiet line with its state and duration, and more behind it', () => {
    const shown = show({});
    const line = within(shown).getByRole('button', { name: /weather/ });
    expect(line.textContent).toBe('weatherDone · 1.2s');
    expect(line.getAttribute('aria-expanded')).toBe('false');
    expect(shown.querySelector('pre')).toBeNull();
    fireEvent.click(line);
    const [given, result] = shown.querySelectorAll('pre');
    expect(given?.textContent).toBe(
      '{\n  "city": "Évora",\n  "ids": [\n    12345678901234567890,\n    []\n  ]\n}',
    );
    expect(result?.textContent).toBe('<b>clear</b>');
    expect(shown.querySelector('b')).toBeNull();
    expect(given?.tabIndex).toBe(0);
  });

  it.each([
    ['running', 'Running…'],
    ['failed', 'Failed'],
    ['denied', 'Not allowed'],
    ['stopped', 'Not finished'],
  ] as const)('that is %s says so', (state, label) => {
    expect(within(show({ state, took: null })).getByRole('button').textContent).toBe(`weather${label}`);
  });

  it('shows arguments raw while they are written', () => {
    const shown = show({ state: 'running', arguments: '{"city": "Év', result: null });
    fireEvent.click(within(shown).getByRole('button'));
    expect(shown.querySelector('pre')?.textContent).toBe('{"city": "Év');
  });

  it('says where there is nothing to show, or not all', () => {
    const shown = show({ arguments: '{}', result: 'The beginning', truncated: true });
    fireEvent.click(within(shown).getByRole('button'));
    expect(shown.textContent).toContain('ArgumentsNone');
    expect(shown.textContent).toContain('This is only the beginning.');
  });

  it('speaks Portuguese', () => {
    expect(show({}, undefined, 'pt-BR').textContent).toContain('Pronto · 1,2');
  });

  it('asks for leave with its arguments in sight, and gives the focus back', () => {
    const actions = { decide: vi.fn(), bring: vi.fn() };
    const shown = show({ state: 'waiting', needs: 'approval', result: null }, actions);
    expect(shown.querySelector('pre')?.textContent).toContain('Évora');
    fireEvent.click(within(shown).getByRole('button', { name: 'Don’t allow' }));
    expect(actions.decide).toHaveBeenCalledExactlyOnceWith('c1', false);
    expect(document.activeElement).toBe(within(shown).getByRole('button', { name: /weather/ }));
    fireEvent.click(within(shown).getByRole('button', { name: 'Allow' }));
    expect(actions.decide).toHaveBeenLastCalledWith('c1', true);
  });

  it('asks nothing of somebody who can do nothing about it', () => {
    expect(within(show({ state: 'waiting', needs: 'approval' })).getAllByRole('button')).toHaveLength(1);
  });

  it('takes an output from the keyboard', () => {
    const actions = { decide: vi.fn(), bring: vi.fn() };
    const shown = show({ state: 'waiting', needs: 'output', result: null }, actions);
    const field = within(shown).getByRole('textbox', { name: 'Your answer for weather' });
    fireEvent.keyDown(field, { key: 'Enter' });
    fireEvent.change(field, { target: { value: 'blue' } });
    fireEvent.keyDown(field, { key: 'Enter', shiftKey: true });
    expect(actions.bring).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: 'Enter' });
    expect(actions.bring).toHaveBeenCalledExactlyOnceWith('c1', 'blue');
  });
});

describe('JSON', () => {
  it('is laid out token by token', () => {
    expect(pretty('{"a":1e400,"a":{},"b":"x, {y}: \\" z"}')).toBe(
      '{\n  "a": 1e400,\n  "a": {},\n  "b": "x, {y}: \\" z"\n}',
    );
    expect(pretty('[]')).toBe('[]');
    for (const text of ['{"a":', 'plain text', '"a,b"', '1', '']) expect(pretty(text)).toBe(text);
  });

  it('hides nothing from who has to judge it', () => {
    expect(seen('a\u202eb\u0007c\ufeff\u{e0041}')).toBe('a\\u202eb\\u0007c\\ufeff\\udb40\\udc41');
    expect(seen('two\n\tlines 👩‍💻 é')).toBe('two\n\tlines 👩‍💻 é');
  });
});

const ASSISTANT: Role = 'assistant';

describe('an answer of many parts', () => {
  it('is shown in its order', () => {
    const { container } = render(
      <ChatMessage
        role={ASSISTANT}
        content="One.Two."
        parts={[
          { type: 'thinking', text: 'Hm.' },
          { type: 'text', text: 'One.' },
          CALL,
          { type: 'text', text: '\n' },
          { type: 'text', text: 'Two.' },
          {
            type: 'media',
            mediaType: 'image/png',
            url: 'https://a.test/x.png',
            name: 'x.png',
            fileId: null,
            size: null,
          },
        ]}
      />,
    );
    expect(container.querySelector('article')?.textContent).toBe(
      'Answer:ThoughtsHm.One.weatherDone · 1.2sTwo.Image: x.png',
    );
    expect(container.querySelector('img, a')).toBeNull();
  });
});

describe('a run that waits', () => {
  /** A run that waits for the output of `ask_user`. */
  function asking() {
    const { response, tell, end } = openStream();
    const call = { id: 'c1', name: 'ask_user', needs: 'output', arguments: '{}' };
    const requiredAction = { calls: [call], expiresAt: null };
    let asked = { id: 'r1', status: 'requires_action', requiredAction } as Record<string, unknown>;
    const wire = new Wire()
      .on('POST api/conversations', () => json(conversation(), 201))
      .on('GET api/conversations/:id/messages/a1', () => json(message('a1', { role: 'assistant' })))
      .on('GET api/chat/runs/r1', () => json(asked))
      .on('POST api/chat/send', () => response)
      .on('POST api/chat/runs/r1/tool-outputs', ({ body }) => {
        const [output] = body.outputs as { output: string }[];
        asked = { id: 'r1', status: 'in_progress', requiredAction: null };
        tell({ type: 'tool_result', id: 'c1', status: 'completed', result: output?.output, seq: 4 });
        tell({ content: `It is ${output?.output}.`, seq: 5 });
        tell({ type: 'done', messageId: 'a1', status: 'completed', seq: 6 });
        end();
        return json(asked);
      });
    const begin = () => {
      tell(run([])[0]);
      tell({ type: 'tool_call', id: 'c1', name: 'ask_user', seq: 2 });
      tell({ type: 'requires_action', calls: [call], seq: 3 });
    };
    return { wire, begin };
  }

  async function ask(tools?: ClientTools) {
    const { wire, begin } = asking();
    render(
      <ProsaProvider client={wire.client()} language="en">
        <ChatInterface tools={tools} />
      </ProsaProvider>,
    );
    const composer = screen.getByRole('textbox', { name: 'Message' });
    fireEvent.change(composer, { target: { value: 'Hi' } });
    fireEvent.keyDown(composer, { key: 'Enter' });
    await act(async () => begin());
  }

  it('says for what, and goes on with what the person types', async () => {
    await ask();
    const field = await screen.findByRole('textbox', { name: 'Your answer for ask_user' });
    expect(screen.getByRole('status').textContent).toContain('waits for you: ask_user asks');
    expect(screen.getByRole('button', { name: 'Stop' })).toBeTruthy();
    fireEvent.change(field, { target: { value: 'blue' } });
    fireEvent.click(screen.getByRole('button', { name: 'Answer' }));
    expect((await screen.findAllByText('It is blue.')).length).toBeGreaterThan(0);
    expect(screen.queryByRole('status')).toBeNull();
  });

  it('is answered by the tool of the page, with nothing to be seen of the question', async () => {
    const runTool = vi.fn(async () => 'green');
    await ask({ ask_user: { run: runTool } });
    expect((await screen.findAllByText('It is green.')).length).toBeGreaterThan(0);
    expect(screen.queryByRole('textbox', { name: /Your answer/ })).toBeNull();
    expect(runTool).toHaveBeenCalledOnce();
  });
});
