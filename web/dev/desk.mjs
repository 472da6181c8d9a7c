/** The mock server's tickets: one conversation and one answer each, told over a WebSocket. */
import { createHash } from 'node:crypto';
import { endRun, startRun } from './runs.mjs';
import * as tree from './tree.mjs';
import { watch as listen } from './watch.mjs';

export const tickets = new Map();

export function form(ticket) {
  const { id, body, conversation, run } = ticket;
  const answer = run?.status === 'completed' ? run.message.content : null;
  const status = !run ? 'unanswered' : (STATUSES[run.status] ?? 'failed');
  return {
    id,
    body,
    conversationId: conversation.id,
    status,
    answer,
    runId: run?.id ?? null,
    provider: 'mock',
    model: 'large',
    createdAt: conversation.createdAt,
    updatedAt: conversation.updatedAt,
    answeredAt: answer === null ? null : conversation.updatedAt,
  };
}

const STATUSES = { in_progress: 'answering', requires_action: 'answering', completed: 'answered' };

export function forget(ticket) {
  if (ticket.run) endRun(ticket.run, 'cancelled');
  ticket.run = null;
}

/** Begins an answer, where there is none. */
export function ask(id, body, isAnew = false) {
  const ticket = tickets.get(id) ?? { id, body, conversation: tree.newConversation({ ticketId: id }) };
  tickets.set(id, ticket);
  if (ticket.run && !isAnew) return ticket;
  const question =
    tree.children(ticket.conversation.id, null)[0] ??
    tree.newMessage(ticket.conversation, { role: 'user', content: body });
  ticket.run = startRun(ticket.conversation, question, null);
  return ticket;
}

/** Lets a socket in, and answers what it says. */
export function upgrade(request, socket, id) {
  admit(request, socket, said => heed(socket, id, said));
}

/** Lets a socket in that hears what happens in a conversation. */
export function watch(request, socket, conversation) {
  admit(request, socket, said => {
    if (said.type === 'ping') say(socket, { type: 'pong' });
  });
  const leave = listen(conversation, event => say(socket, event), true);
  socket.on('close', leave);
}

function admit(request, socket, heedIt) {
  const key = request.headers['sec-websocket-key'];
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/).includes('prosa');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\n${offered ? 'Sec-WebSocket-Protocol: prosa\r\n' : ''}\r\n`,
  );
  socket.on('data', chunk => {
    const text = unmasked(chunk);
    if (text === null) socket.end();
    else heedIt(JSON.parse(text));
  });
  socket.on('error', () => socket.destroy());
}

function heed(socket, id, said) {
  if (said.type === 'ping') return say(socket, { type: 'pong' });
  if ('resume' in said) return follow(socket, tree.runs.get(said.resume), said.after);
  const known = tickets.get(id)?.run;
  if (known?.status === 'completed' && !said.refresh) {
    say(socket, { type: 'cached', response: known.message.content, message: 'Resposta em cache' });
    return say(socket, { type: 'done' });
  }
  follow(socket, ask(id, said.ticketBody, said.refresh === true).run, 0);
}

function follow(socket, run, after) {
  const reader = event => {
    const place = { runId: run.id, seq: event.seq };
    if (event.content) say(socket, { type: 'stream', content: event.content, ...place });
    if (event.type === 'done') say(socket, { type: 'done', ...place });
    if (event.type === 'error') say(socket, { type: 'error', message: event.message, ...place });
  };
  for (const event of run.events.slice(after)) reader(event);
  run.readers.add(reader);
  socket.on('close', () => run.readers.delete(reader));
}

/** One short text frame of a browser; null for a frame of another kind. */
function unmasked(frame) {
  if ((frame[0] & 0x0f) !== 1) return null;
  const isLong = (frame[1] & 0x7f) === 126;
  const start = isLong ? 4 : 2;
  const mask = frame.subarray(start, start + 4);
  return Buffer.from(frame.subarray(start + 4).map((byte, index) => byte ^ mask[index % 4])).toString();
}

function say(socket, frame) {
  const data = Buffer.from(JSON.stringify(frame));
  const head = data.length < 126 ? [0x81, data.length] : [0x81, 126, data.length >> 8, data.length & 0xff];
  if (socket.writable) socket.write(Buffer.concat([Buffer.from(head), data]));
}
