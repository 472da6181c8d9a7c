/**
 * A stand-in for the Prosa server, for working on the page: the native API with scripted answers, and the built
 * page under the policy it is served with. `npm run mock -- --port 8000 --prefix /chat/ --sign-in`.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answerTo } from './answers.mjs';
import * as belongings from './belongings.mjs';
import * as desk from './desk.mjs';
import { found, listed } from './lists.mjs';
import * as moves from './moves.mjs';
import { endRun, follow, form, settle, startRun } from './runs.mjs';
import * as tree from './tree.mjs';
import * as watch from './watch.mjs';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' },
    prefix: { type: 'string', default: '/' },
    language: { type: 'string', default: 'en' },
    'sign-in': { type: 'boolean', default: false },
  },
});
const DIST = fileURLToPath(new URL('../app/dist/', import.meta.url));
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const MODELS = [
  model('mock/large', { name: 'Mock Large', default: true, prices: { input: '2.5', output: '10' } }),
  model('mock/small', { name: 'Mock Small', prices: { input: '0', output: '0' } }),
  model('mock/old', { shutdownAt: '2024-01-31', successor: 'large', available: false }),
];

const EVERYTHING = new URLSearchParams({ archived: 'all' });

let signedIn = !options['sign-in'];

class Refused extends Error {
  constructor(status, code, message, more = {}) {
    super(message);
    Object.assign(this, { status, body: { success: false, code, message, ...more } });
  }
}

const routes = [
  ['GET', 'session', () => (signedIn ? session() : refuse(401, 'unauthorized', 'Sign in first.'))],
  ['POST', 'session', ({ body }) => signIn(body.token)],
  ['DELETE', 'session', () => signOut()],
  ['GET', 'conversations', ({ query }) => page(listed(query), query)],
  ['POST', 'conversations', ({ body }) => createConversation(body)],
  ['GET', 'conversations/:id', ({ id }) => conversation(id)],
  ['PATCH', 'conversations/:id', ({ id, body }) => changeConversation(id, body)],
  ['DELETE', 'conversations/:id', ({ id }) => removeConversation(id)],
  ['GET', 'conversations/:id/events', ({ id, response }) => watch.stream(conversation(id), response)],
  ['GET', 'conversations/:id/messages', ({ id, query }) => listMessages(id, query)],
  ['GET', 'conversations/:id/messages/:other', ({ other }) => tree.shown(message(other))],
  ['DELETE', 'conversations/:id/messages', ({ id }) => removeMessages(id, tree.children(id, null))],
  ['DELETE', 'conversations/:id/messages/:other', ({ id, other }) => removeMessages(id, [message(other)])],
  ['PUT', 'conversations/:id/messages/:other/feedback', ({ other, body }) => rate(other, body)],
  ['DELETE', 'conversations/:id/messages/:other/feedback', ({ other }) => [204, rate(other, null)]],
  ['POST', 'chat/send', call => send(call)],
  ['GET', 'chat/runs/:id/events', ({ id, query, response }) => events(id, query, response)],
  ['GET', 'chat/runs/:id', ({ id }) => form(run(id))],
  ['POST', 'chat/runs/:id/stop', ({ id }) => stop(id)],
  ['POST', 'chat/runs/:id/approvals', ({ id, body }) => decide(id, body)],
  ['POST', 'chat/runs/:id/tool-outputs', ({ id, body }) => bring(id, body.outputs[0])],
  ['GET', 'search', ({ query }) => page(found(query), query)],
  ['GET', 'export', ({ query, response }) => moves.write(response, listed(EVERYTHING), query.get('format'))],
  ['GET', 'conversations/:id/export', ({ id, query, response }) => exportOne(id, query, response)],
  ['POST', 'import', ({ text, response }) => moves.read(response, text)],
  ['GET', 'tickets', ({ query }) => listTickets(query)],
  ['GET', 'tickets/:id', ({ id }) => desk.form(ticket(id))],
  ['DELETE', 'tickets/:id/answer', ({ id }) => [204, desk.forget(ticket(id))]],
  ['POST', 'files', ({ bytes }) => [201, belongings.keep(bytes) ?? refuseFile()]],
  ['GET', 'files/:id/content', ({ id, response }) => belongings.content(response, storedFile(id))],
  ['DELETE', 'files/:id', ({ id }) => [204, belongings.files.delete(id)]],
  ['GET', 'templates', () => ({ items: [...belongings.templates.values()].reverse(), nextCursor: null })],
  ['POST', 'templates', ({ body }) => [201, belongings.addTemplate(body)]],
  ['PATCH', 'templates/:id', ({ id, body }) => Object.assign(template(id), body)],
  ['DELETE', 'templates/:id', ({ id }) => [204, belongings.templates.delete(template(id).id)]],
  ['POST', 'templates/:id/fill', ({ id, body }) => belongings.fill(template(id), body.values)],
  ['GET', 'models', () => ({ items: MODELS, nextCursor: null })],
];

function model(id, more) {
  const [provider, name] = id.split('/');
  const known = {
    contextWindow: 8_192,
    capabilities: ['tools'],
    prices: null,
    shutdownAt: null,
    successor: null,
  };
  return {
    id,
    provider,
    model: name,
    name: null,
    kind: 'model',
    default: false,
    available: true,
    ...known,
    ...more,
  };
}

function session() {
  const { language } = options;
  return {
    userId: 'ana',
    local: !options['sign-in'],
    language,
    operator: true,
    defaultProvider: 'local',
    defaultModel: 'mock',
  };
}

function signIn(token) {
  if (token !== 'secret') refuse(401, 'unauthorized', 'This link is no longer valid.');
  signedIn = true;
  return [204];
}

function signOut() {
  signedIn = false;
  return [204];
}

function createConversation(body) {
  const known =
    body.externalId && [...tree.conversations.values()].find(one => one.externalId === body.externalId);
  return known || [201, tree.newConversation(body)];
}

function exportOne(id, query, response) {
  return moves.write(response, [conversation(id)], query.get('format'));
}

function listTickets(query) {
  const all = [...desk.tickets.values()].map(({ body, ...each }) => desk.form(each)).reverse();
  const status = query.get('status');
  return page(
    all.filter(each => !status || each.status === status),
    query,
  );
}

function ticket(id) {
  return (
    desk.tickets.get(decodeURIComponent(id)) ?? refuse(404, 'ticket_not_found', 'This ticket does not exist.')
  );
}

function changeConversation(id, { headId, ...rest }) {
  const found = Object.assign(conversation(id), rest);
  if (headId) found.headId = tree.leaf(message(headId)).id;
  const isQuiet = Object.keys(rest).every(name => ['pinned', 'archived'].includes(name));
  if (headId || !isQuiet) found.updatedAt = new Date().toISOString();
  watch.changed(id);
  return found;
}

function removeConversation(id) {
  tree.conversations.delete(conversation(id).id);
  watch.changed(id);
  return [204];
}

function removeMessages(id, doomed) {
  for (const each of doomed) tree.remove(each);
  watch.changed(id, { messages: true });
  return [204];
}

function rate(id, feedback) {
  return Object.assign(message(id), { feedback }).feedback;
}

function storedFile(id) {
  return belongings.files.get(id) ?? refuse(404, 'file_not_found', 'There is no file with this id.');
}

function refuseFile() {
  refuse(415, 'unsupported_file', 'Files of this kind are not taken. Send a picture, a PDF or a text.');
}

function template(id) {
  return (
    belongings.templates.get(id) ?? refuse(404, 'template_not_found', 'There is no template with this id.')
  );
}

function listMessages(id, query) {
  const path = tree.branch(query.get('head') ?? conversation(id).headId).map(tree.shown);
  return page(query.get('order') === 'desc' ? path.reverse() : path, query);
}

function page(all, query) {
  const from = Number(query.get('cursor') ?? 0);
  const to = from + Number(query.get('limit') ?? 20);
  return { items: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
}

function send({ body, response }) {
  const known = [...tree.runs.values()].find(run => run.key === body.clientMessageId);
  if (known) return follow(known, response);
  const found = conversation(body.conversationId);
  if (body.content?.includes('refuse'))
    refuse(503, 'draining', 'The server is restarting. Try again in a moment.');
  const head = tree.messages.get(found.headId);
  if (head?.status === 'in_progress' && !('parentId' in body)) {
    refuse(409, 'run_in_progress', 'An answer is still being written.', { runId: head.runId });
  }
  const place = 'parentId' in body ? { parentId: body.parentId } : {};
  const question = body.regenerate
    ? message(message(body.regenerate).parentId)
    : tree.newMessage(found, { role: 'user', content: body.content, parts: partsOf(body), ...place });
  found.title ??= body.content?.slice(0, 60) ?? null;
  const run = startRun(found, question, body.clientMessageId);
  watch.begun(run);
  return follow(run, response, { cut: run.script.cutsEvery });
}

function partsOf({ content, attachments }) {
  return [...belongings.partsOf(attachments), { type: 'text', text: content }];
}

function events(id, query, response) {
  const { script } = run(id);
  follow(run(id), response, { after: Number(query.get('after') ?? 0), ids: true, cut: script.cutsEvery });
}

function stop(id) {
  endRun(run(id), 'cancelled');
  return form(run(id));
}

function decide(id, { approve }) {
  return said(id, approve ? 'completed' : 'denied', approve ? 'sent' : 'The user did not allow this call.');
}

function bring(id, { output, isError }) {
  return said(id, isError ? 'failed' : 'completed', output);
}

function said(id, status, result) {
  if (!settle(run(id), status, result))
    refuse(409, 'run_not_waiting', 'The run does not wait for this any more.');
  return form(run(id));
}

function run(id) {
  return tree.runs.get(id) ?? refuse(404, 'run_not_found', 'This run does not exist.');
}

function conversation(id) {
  return (
    tree.conversations.get(id) ?? refuse(404, 'conversation_not_found', 'This conversation does not exist.')
  );
}

function message(id) {
  return tree.messages.get(id) ?? refuse(404, 'message_not_found', 'This message does not exist.');
}

function refuse(...facts) {
  throw new Refused(...facts);
}

async function api(request, response, path, query) {
  for (const [method, pattern, handler] of routes) {
    const [, id, other] = match(pattern, path) ?? [];
    if (request.method !== method || !match(pattern, path)) continue;
    const bytes = await read(request);
    const isRead = pattern !== 'files';
    const text = isRead ? bytes.toString() : '';
    const result = await handler({
      id,
      other,
      query,
      response,
      bytes,
      text,
      body: text && pattern !== 'import' ? JSON.parse(text) : {},
    });
    if (response.headersSent) return;
    const [status, body] = Array.isArray(result) ? result : [200, result];
    return answer(response, status, body);
  }
  refuse(404, 'not_found', 'There is nothing here.');
}

function match(pattern, path) {
  return new RegExp(`^${pattern.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function file(response, path) {
  const name = normalize(path === '' || path.endsWith('/') ? `${path}index.html` : path);
  const body = await readFile(join(DIST, name)).catch(() =>
    refuse(404, 'not_found', 'There is nothing here.'),
  );
  response.writeHead(200, {
    'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
    'Content-Security-Policy': POLICY,
  });
  response.end(body);
}

async function serve(request, response) {
  const url = new URL(request.url, 'http://mock');
  try {
    if (!url.pathname.startsWith(options.prefix)) refuse(404, 'not_found', 'There is nothing here.');
    const path = url.pathname.slice(options.prefix.length);
    if (path === 'openapi.json')
      return answer(response, 200, { openapi: '3.1.0', info: { title: 'Mock', version: '0' }, paths: {} });
    if (path.startsWith('api/')) return await api(request, response, path.slice(4), url.searchParams);
    return await file(response, path);
  } catch (error) {
    if (error instanceof Refused) return answer(response, error.status, error.body);
    throw error;
  }
}

tree.fill('A long conversation', 500, n => (n % 10 === 1 ? answerTo('stream').text : answerTo('').text));
for (let n = 1; n <= 120; n += 1) tree.fill(`Talk number ${n}`, 2, () => answerTo('').text, n);
tree.fill('Planning the garden', 4, () => answerTo('').text);
tree.fill('How streaming works', 2, () => answerTo('stream').text);
for (const [id, body] of [
  ['4711', 'The printer on the second floor prints only in blue.'],
  ['4712', 'I cannot sign in since this morning.'],
]) {
  desk.ask(id, body);
}
const server = createServer(serve);
server.on('upgrade', (request, socket) => {
  const path = new URL(request.url, 'http://mock').pathname.slice(options.prefix.length);
  const [, id] = /^api\/websocket\/chat\/([^/]+)$/.exec(path) ?? [];
  const [, watched] = /^api\/websocket\/conversations\/([^/]+)$/.exec(path) ?? [];
  if (id) desk.upgrade(request, socket, decodeURIComponent(id));
  else if (tree.conversations.has(watched)) desk.watch(request, socket, tree.conversations.get(watched));
  else socket.destroy();
});
server.listen(Number(options.port), '127.0.0.1', () => {
  process.stdout.write(`Mock server on http://127.0.0.1:${options.port}${options.prefix}\n`);
});
