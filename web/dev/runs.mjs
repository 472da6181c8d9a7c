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
  Object.assign(run, { message, status: 'in_progress', script: answerTo(question.content) });
  runs.set(run.id, run);
  tell(run, {
    type: 'start',
    runId: run.id,
    conversationId: conversation.id,
    userMessageId: question.id,
    messageId: message.id,
  });
  setTimeout(() => (run.script.thinks ? think(run) : step(run, 0)), 500);
  return run;
}

export function endRun(run, status) {
  if (run.status !== 'in_progress') return;
  run.status = status;
  run.message.status = status === 'completed' ? 'completed' : 'incomplete';
  tell(run, { type: 'done', messageId: run.message.id, status, reason: status, usage: null, cost: '0' });
}

/** Writes the events after `after` to a response, and the ones to come. */
export function follow(run, response, { after = 0, ids = false, cut = null } = {}) {
  if (run.status !== 'in_progress' && after >= run.events.length) {
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

function tell(run, event) {
  const numbered = { ...event, seq: run.events.length + 1 };
  run.events.push(numbered);
  for (const reader of run.readers) reader(numbered);
}

/** Thoughts, then a tool, and only then the answer. */
function think(run) {
  const thought = 'They want to know how streaming works. A short tour with an example will do.';
  for (const text of thought.match(/\S+\s*/g)) tell(run, { type: 'thinking', text });
  setTimeout(() => tell(run, { type: 'tool_call', id: 't1', name: 'search' }), 1000);
  setTimeout(() => tell(run, { type: 'tool_result', id: 't1', status: 'completed', result: {} }), 2500);
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
  tell(run, { content: pieces[at] });
  setTimeout(() => step(run, at + 1), everyMs);
}
