/** Seed 004's component: its props, its texts and its class names, and what it does better. */
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketServer } from '../../core/tests/sockets.js';
import { Wire } from '../../core/tests/wire.js';
import { ProsaProvider, TicketAIChat } from '../src/index.js';

let server: SocketServer;

beforeEach(() => {
  server = new SocketServer();
  vi.stubGlobal('WebSocket', server.socket);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(ticketId: number | string = 123, ticketBody = 'It is broken.') {
  const client = new Wire().client();
  const shown = (id: number | string) => (
    <StrictMode>
      <ProsaProvider client={client} language="pt-BR">
        <TicketAIChat ticketId={id} ticketBody={ticketBody} />
      </ProsaProvider>
    </StrictMode>
  );
  const { container, rerender } = render(shown(ticketId));
  return { container, turn: (id: number | string) => rerender(shown(id)) };
}

describe('TicketAIChat', () => {
  it('shows that it works, then the answer as it comes, under the seed’s names', async () => {
    let say: (frame: object) => void = () => {};
    server.heed = line => {
      say = line.say;
    };
    const { container } = show();
    expect(container.querySelector('.ai-chat-container > .loader')?.textContent).toBe('Processando...');
    await waitFor(() => expect(server.lines.at(-1)?.isOpen()).toBe(true));
    await act(async () => say({ type: 'stream', content: 'Turn it **off**', runId: 'r', seq: 2 }));
    expect(await screen.findByRole('heading', { name: 'Resposta da IA:' })).toBeTruthy();
    expect(container.querySelector('.ai-response strong')?.textContent).toBe('off');
    await act(async () => say({ type: 'done', runId: 'r', seq: 3 }));
    await waitFor(() => expect(container.querySelector('.loader')).toBeNull());
    expect(server.lines.filter(line => line.isOpen())).toHaveLength(0);
  });

  it('says that a ticket was answered before, and asks anew on purpose', async () => {
    const asked: Record<string, unknown>[] = [];
    server.heed = (line, said) => {
      asked.push(said);
      if (said.refresh) line.say({ type: 'stream', content: 'Turn it on.', runId: 'r', seq: 2 });
      else line.say({ type: 'cached', response: 'Turn it off.', message: 'Resposta em cache' });
      line.say({ type: 'done' });
    };
    show();
    await screen.findByText('Este ticket já foi respondido antes.');
    expect(screen.getAllByText('Turn it off.').length).toBeGreaterThan(0);
    fireEvent.click(screen.getByRole('button', { name: 'Perguntar de novo' }));
    await screen.findByRole('button', { name: 'Copiar' });
    await waitFor(() => expect(document.querySelector('.ai-response')?.textContent).toContain('Turn it on.'));
    expect(asked.at(-1)).toMatchObject({ ticketBody: 'It is broken.', refresh: true });
  });

  it('tells an error where it happened, with a way on', async () => {
    server.heed = line => line.say({ type: 'error', message: 'OLLAMA_SERVER não configurado' });
    const { container } = show();
    await waitFor(() =>
      expect(container.querySelector('.error')?.textContent).toContain('OLLAMA_SERVER não configurado'),
    );
    server.heed = line => {
      line.say({ type: 'stream', content: 'Turn it off.' });
      line.say({ type: 'done' });
    };
    fireEvent.click(screen.getByRole('button', { name: 'Tentar de novo' }));
    await screen.findByText('Resposta da IA:');
    expect(container.querySelector('.error')).toBeNull();
  });

  it('leaves one ticket for another', async () => {
    server.heed = line => {
      line.say({ type: 'stream', content: `Of ${line.url.split('/').at(-1)}` });
      line.say({ type: 'done' });
    };
    const { container, turn } = show(1);
    await waitFor(() => expect(container.querySelector('.ai-response')?.textContent).toContain('Of 1'));
    turn('two');
    await waitFor(() => expect(container.querySelector('.ai-response')?.textContent).toContain('Of two'));
    expect(container.querySelector('.ai-response')?.textContent).not.toContain('Of 1');
  });
});
