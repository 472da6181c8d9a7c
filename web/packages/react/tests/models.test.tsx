/** The choice of the model: what is listed, which one answers, and how it is chosen. */
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { conversation, json, refused, run, stream, Wire } from '../../core/tests/wire.js';
import { ChatInterface, type Model, ModelPicker, ProsaProvider } from '../src/index.js';
import { modelInUse, remarkOf } from '../src/modelNames.js';
import { textsFor } from '../src/texts.js';

afterEach(cleanup);

function model(id: string, given: Partial<Model> = {}): Model {
  const [provider = '', name = ''] = id.split('/');
  return {
    id,
    provider,
    model: name,
    name: null,
    kind: 'model',
    contextWindow: 8_000,
    capabilities: ['tools'],
    prices: null,
    shutdownAt: null,
    successor: null,
    default: false,
    available: true,
    ...given,
  };
}

const MODELS = [
  { ...model('fake/large'), id: 'best', model: 'best', name: 'fake/large', kind: 'route' as const },
  model('fake/large', { name: 'Fake Large', default: true }),
  model('fake/old', { available: false, shutdownAt: '2020-01-31', successor: 'large' }),
  model('other/one', { available: false }),
  model('other/two'),
];

function show(value: string | null, onChoose = vi.fn()) {
  render(
    <ProsaProvider client={new Wire().client()} language="en">
      <ModelPicker models={MODELS} value={value} onChoose={onChoose} />
    </ProsaProvider>,
  );
  return onChoose;
}

function open(): HTMLInputElement {
  fireEvent.click(screen.getByRole('button', { name: /^Model: / }));
  return screen.getByRole('combobox', { name: 'Find a model' });
}

function active(): string | null | undefined {
  const id = screen.getByRole('combobox').getAttribute('aria-activedescendant');
  return document.getElementById(id ?? '')?.title;
}

describe('ModelPicker', () => {
  it('names the model that answers, and lists all by provider', () => {
    show('fake/large');
    expect(screen.getByRole('button', { name: 'Model: Fake Large' })).toBeTruthy();
    const field = open();
    expect(document.activeElement).toBe(field);
    expect(screen.getAllByRole('group').map(group => group.getAttribute('aria-label'))).toEqual([
      'Routes',
      'fake',
      'other',
    ]);
    expect(screen.getByRole('option', { selected: true }).title).toBe('fake/large');
  });

  it('is led through by keys, past what can’t be chosen', () => {
    const onChoose = show('fake/large');
    const field = open();
    expect(active()).toBe('fake/large');
    fireEvent.keyDown(field, { key: 'ArrowDown' });
    expect(active()).toBe('fake/old');
    fireEvent.keyDown(field, { key: 'Enter' });
    expect(onChoose).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: 'PageDown' });
    fireEvent.keyDown(field, { key: 'ArrowDown' });
    expect(active()).toBe('other/two');
    fireEvent.keyDown(field, { key: 'Enter' });
    expect(onChoose).toHaveBeenCalledExactlyOnceWith('other/two');
    expect(document.activeElement).toBe(screen.getByRole('button', { name: /^Model/ }));
  });

  it('finds by words, and says when it does not', () => {
    show(null);
    expect(screen.getByRole('button', { name: 'Model: By default' })).toBeTruthy();
    const field = open();
    fireEvent.change(field, { target: { value: 'large fake' } });
    expect(screen.getAllByRole('option')).toHaveLength(2);
    fireEvent.change(field, { target: { value: 'nothing' } });
    expect(screen.getByText('No model has this name.')).toBeTruthy();
    fireEvent.keyDown(field, { key: 'Enter' });
    fireEvent.keyDown(field, { key: 'ArrowDown' });
    fireEvent.keyDown(field, { key: 'Escape' });
    expect(screen.queryByRole('combobox')).toBeNull();
  });

  it('shows what can’t be asked, with the reason', () => {
    const onChoose = show('fake/large');
    open();
    const old = screen.getByRole('option', { name: /^old/ });
    expect(old.getAttribute('aria-disabled')).toBe('true');
    expect(old.textContent).toContain('Shut down on Jan 31, 2020. Use large instead.');
    expect(screen.getByRole('option', { name: /^one/ }).textContent).toContain('Not available');
    fireEvent.click(old);
    expect(onChoose).not.toHaveBeenCalled();
    fireEvent.pointerDown(document.body);
    expect(screen.queryByRole('combobox')).toBeNull();
  });
});

describe('the model in use', () => {
  const asked = { chosen: null, conversation: null };

  it('is the one that was chosen, set, remembered, or the default', () => {
    const remembering = (provider: string | null, name: string | null) =>
      conversation({ provider, model: name });
    expect(modelInUse(MODELS, asked)).toBe('fake/large');
    expect(modelInUse([], asked)).toBeNull();
    for (const [provider, name, id] of [
      ['other', 'two', 'other/two'],
      [null, 'other/two', 'other/two'],
      [null, 'two', 'other/two'],
      [null, 'best', 'best'],
      ['other', null, 'other/one'],
      ['gone', 'away', 'gone/away'],
    ] as const) {
      expect(modelInUse(MODELS, { ...asked, conversation: remembering(provider, name) })).toBe(id);
    }
    const all = { chosen: 'best', provider: 'other', model: 'two', conversation: remembering('fake', 'old') };
    expect(modelInUse(MODELS, all)).toBe('best');
    expect(modelInUse(MODELS, { ...all, chosen: null })).toBe('other/two');
  });

  it('says what it costs, and that it will go', () => {
    const texts = textsFor('pt-BR');
    const day = new Date('2026-01-01T00:00:00Z');
    const remark = (given: Partial<Model>) => remarkOf(model('a/b', given), texts, 'pt-BR', day);
    expect(remark({ prices: { input: '2.5', output: '10' } })).toBe(
      'US$ 2.5 entrada, 10 saída, por milhão de tokens',
    );
    expect(remark({ prices: { input: '0', output: null } })).toBe('Sem custo');
    expect(remark({ shutdownAt: '2026-06-30', successor: 'c' })).toContain(
      'Será desligado em 30 de jun. de 2026',
    );
    expect(remark({})).toBe('');
  });
});

describe('in the chat', () => {
  function server() {
    return new Wire()
      .on('GET api/models', () =>
        json({ items: [...MODELS, model('e/m', { capabilities: ['embeddings'] })] }),
      )
      .on('POST api/conversations', () => json(conversation(), 201))
      .on('POST api/chat/send', () => stream(run(['Hello'])));
  }

  function chat(wire: Wire) {
    render(
      <ProsaProvider client={wire.client()} language="en">
        <ChatInterface modelPicker={true} />
      </ProsaProvider>,
    );
  }

  it('goes with what is sent', async () => {
    const wire = server();
    chat(wire);
    await screen.findByRole('button', { name: 'Model: Fake Large' });
    open();
    expect(screen.getAllByRole('option')).toHaveLength(MODELS.length);
    fireEvent.click(screen.getByRole('option', { name: /^two/ }));
    expect(screen.getByRole('button', { name: 'Model: two' })).toBeTruthy();
    const composer = screen.getByRole('textbox', { name: 'Message' });
    fireEvent.change(composer, { target: { value: 'Hi' } });
    fireEvent.keyDown(composer, { key: 'Enter' });
    await waitFor(() =>
      expect(wire.calls('POST api/chat/send')[0]?.body).toMatchObject({ model: 'other/two' }),
    );
  });

  it('is not in the way where the list can’t be had', async () => {
    const wire = server().on('GET api/models', () => refused(500, 'internal'));
    chat(wire);
    await screen.findByText('The list of models could not be loaded.');
    wire.on('GET api/models', () => json({ items: MODELS }));
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('button', { name: 'Model: Fake Large' })).toBeTruthy();
  });

  it('comes by itself once the server is back', async () => {
    const wire = server().on('GET api/models', () => refused(503, 'away'));
    chat(wire);
    await screen.findByText('The list of models could not be loaded.');
    wire.on('GET api/models', () => json({ items: MODELS }));
    window.dispatchEvent(new Event('online'));
    expect(await screen.findByRole('button', { name: 'Model: Fake Large' })).toBeTruthy();
  });
});
