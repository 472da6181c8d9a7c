/** The calls of the JSON API, and the errors that they end in. */
import { describe, expect, it } from 'vitest';
import { ChatError, Client, isUuid, newId } from '../src/index.js';
import { json, refused, Wire } from './wire.js';

describe('Client', () => {
  it('stays under the prefix that it is given', async () => {
    const wire = new Wire().on('GET chat/api/session', () => json({ userId: 'ana' }));
    const client = new Client({ baseUrl: 'http://prosa.test/chat/', fetch: wire.fetch });
    expect(await client.session()).toEqual({ userId: 'ana' });
  });

  it('sends the language and the token', async () => {
    const wire = new Wire().on('GET api/session', () => json({}));
    const token = async () => 'secret';
    await new Client({ baseUrl: 'http://prosa.test/', language: 'pt', token, fetch: wire.fetch }).session();
    expect(wire.asked[0]?.headers.get('Accept-Language')).toBe('pt');
    expect(wire.asked[0]?.headers.get('Authorization')).toBe('Bearer secret');
  });

  it('throws what the server said', async () => {
    const wire = new Wire().on('POST api/chat/send', () => refused(409, 'run_in_progress', { runId: 'r1' }));
    const sending = wire.client().send({ conversationId: 'c', content: 'x', clientMessageId: 'k' });
    await expect(sending).rejects.toMatchObject({
      name: 'ChatError',
      code: 'run_in_progress',
      message: 'Refused: run_in_progress.',
      status: 409,
      runId: 'r1',
      passing: false,
    });
  });

  it('deletes a message with its replies, or only where it has none', async () => {
    const wire = new Wire().on(
      'DELETE api/conversations/c/messages/m',
      () => new Response(null, { status: 204 }),
    );
    await wire.client().deleteMessage('c', 'm');
    await wire.client().deleteMessage('c', 'm', { subtree: false });
    expect(wire.asked.map(({ query }) => query.get('subtree'))).toEqual([null, 'false']);
  });

  it('makes something of an answer that a proxy gave', async () => {
    const wire = new Wire().on('GET api/session', () => new Response('<html>', { status: 502 }));
    await expect(wire.client().session()).rejects.toMatchObject({ code: 'http_502', passing: true });
  });

  it('says that the server is away', async () => {
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const calling = new Client({ baseUrl: 'http://prosa.test/', fetch }).session();
    await expect(calling).rejects.toBeInstanceOf(ChatError);
    const message = 'The server cannot be reached.';
    await expect(calling).rejects.toMatchObject({ code: 'network', status: 0, message });
  });

  it('says so in the language of the page', async () => {
    document.documentElement.lang = 'pt-BR';
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const calling = new Client({ baseUrl: 'http://prosa.test/', fetch }).session();
    await expect(calling).rejects.toMatchObject({ message: 'Não foi possível falar com o servidor.' });
    document.documentElement.lang = '';
  });
});

describe('newId', () => {
  it('is a UUID also where randomUUID is missing', () => {
    const { randomUUID } = crypto;
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
    const id = newId();
    Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
    expect(isUuid(id)).toBe(true);
    expect(id[14]).toBe('4');
    expect(isUuid('conv_123')).toBe(false);
  });
});
