/** The mock server's runs: they go on by themselves, and any number of readers follows them. */
import { randomUUID } from 'node:crypto';
import { answerTo } from './answers.mjs';
import { newMessage, runs } from './tree.mjs';

export function startRun(conversation, question, key) {
  const run = { id: randomUUID(), key, conversationId: conversation.id, events: [], readers: new Set() };
  const message = newMessage(conversation, {
    role: 'assistant',
    status: 'in_progress',
    parentId: question.id,
    runId: run.id,
  });
  Object.assign(run, { question, message, status: 'in_progress', script: answerTo(question.content) });
  runs.set(run.id, run);
  tell(run, {
    type: 'start',
    runId: run.id,
    conversationId: conversation.id,
    userMessageId: question.id,
    messageId: message.id,
  });
  setTimeout(() => begin(run), 500);
  return run;
}

function begin(run) {
  const { thinks, waits } = run.script;
  if (waits) pause(run, waits);
  else if (thinks) think(run);
  else step(run, 0);
}

/** Calls a tool and waits until somebody says what is to become of it. */
function pause(run, needs) {
  const [name, args] =
    needs === 'approval'
      ? ['send_mail', '{"to":"ana@example.org","subject":"Saturday"}']
      : ['ask_colour', '{"question":"Which colour do you like best?"}'];
  call(run, name, args);
  run.status = 'requires_action';
  run.waitsFor = [{ id: 't1', name, needs, arguments: args }];
  tell(run, { type: 'requires_action', calls: run.waitsFor });
}

/** What somebody said of the call that the run waits for; false where it does not wait. */
export function settle(run, status, result) {
  if (run.status !== 'requires_action') return false;
  run.status = 'in_progress';
  run.waitsFor = null;
  give(run, status, result);
  setTimeout(() => step(run, 0), 500);
  return true;
}

export function form(run) {
  const { id, conversationId, status, message, waitsFor } = run;
  const expiresAt = new Date(Date.now() + 600_000).toISOString();
  const requiredAction = waitsFor ? { calls: waitsFor, expiresAt } : null;
  return { id, conversationId, messageId: message.id, status, requiredAction };
}

function call(run, name, args) {
  run.message.parts.push({ type: 'tool_call', id: 't1', name, arguments: args });
  tell(run, { type: 'tool_call', id: 't1', name });
  for (const text of args.match(/.{1,8}/g)) tell(run, { type: 'tool_arguments', id: 't1', text });
}

function give(run, status, result) {
  const { name } = run.message.parts.find(part => part.type === 'tool_call');
  run.message.parts.push({ type: 'tool_result', id: 't1', name, status, result });
  tell(run, { type: 'tool_result', id: 't1', status, result });
}

export function endRun(run, status) {
  if (run.status !== 'in_progress' && run.status !== 'requires_action') return;
  run.waitsFor = null;
  run.status = status;
  run.message.status = status === 'completed' ? 'completed' : 'incomplete';
  tell(run, { type: 'done', messageId: run.message.id, status, reason: status, usage: null, cost: '0' });
}

/** Writes the events after `after` to a response, and the ones to come. */
export function follow(run, response, { after = 0, ids = false, cut = null } = {}) {
  if (isOver(run) && after >= run.events.length) {
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  let left = cut ?? Number.POSITIVE_INFINITY;
  const reader = event => {
    left -= 1;
    // What was written is let out before the connection breaks.
    if (left === -1) setTimeout(() => response.destroy(), 50);
    if (left < 0) return;
    response.write(`${ids ? `id: ${event.seq}\n` : ''}data: ${JSON.stringify(event)}\n\n`);
    if (event.type === 'done' || event.type === 'error') response.end();
  };
  for (const event of run.events.slice(after)) reader(event);
  run.readers.add(reader);
  response.on('close', () => run.readers.delete(reader));
}

function isOver({ status }) {
  return status !== 'in_progress' && status !== 'requires_action';
}

function tell(run, event) {
  const numbered = { ...event, seq: run.events.length + 1 };
  run.events.push(numbered);
  for (const reader of run.readers) reader(numbered);
}

/** Thoughts, then a tool, and only then the answer. */
function think(run) {
  const thought = 'They want to know how streaming works. A short tour with an example will do.';
  run.message.parts.push({ type: 'thinking', text: thought });
  for (const text of thought.match(/\S+\s*/g)) tell(run, { type: 'thinking', text });
  setTimeout(() => call(run, 'search', '{"query":"server-sent events","limit":3}'), 1000);
  setTimeout(() => give(run, 'completed', '{"found":[{"title":"The living standard"}]}'), 2500);
  setTimeout(() => step(run, 0), 3000);
}

function step(run, at) {
  if (run.status !== 'in_progress') return;
  const { pieces, everyMs, failsAfter } = run.script;
  if (failsAfter === at) {
    run.status = 'failed';
    run.message.status = 'incomplete';
    const message = 'The provider is overloaded at the moment.';
    tell(run, { type: 'error', code: 'provider_error', message, retryable: true });
    return;
  }
  if (at === pieces.length) return endRun(run, 'completed');
  run.message.content += pieces[at];
  const last = run.message.parts.at(-1);
  if (last?.type === 'text') last.text += pieces[at];
  else run.message.parts.push({ type: 'text', text: pieces[at] });
  tell(run, { content: pieces[at] });
  setTimeout(() => step(run, at + 1), everyMs);
}
