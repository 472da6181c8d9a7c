/** What the mock server tells those who watch a conversation, by a stream of events or a socket. */
import * as tree from './tree.mjs';

const watchers = new Map();

/** `say` hears the conversation's feed and, where `all` is true, the events of its runs; returns what ends it. */
export function watch(conversation, say, all) {
  const runs = new Set();
  const follow = run => {
    const { id, question, message } = run;
    say({ type: 'run', runId: id, userMessageId: question.id, messageId: message.id });
    if (!all) return;
    const reader = event => say({ runId: id, ...event });
    for (const event of run.events) reader(event);
    run.readers.add(reader);
    runs.add(() => run.readers.delete(reader));
  };
  const watcher = { say, follow };
  const those = watchers.get(conversation.id) ?? new Set();
  watchers.set(conversation.id, those.add(watcher));
  say({ type: 'conversation', conversation });
  for (const run of tree.runs.values()) {
    if (run.conversationId === conversation.id && run.message.status === 'in_progress') follow(run);
  }
  return () => {
    those.delete(watcher);
    for (const leave of runs) leave();
  };
}

/** A run has begun. */
export function begun(run) {
  for (const { follow } of watchers.get(run.conversationId) ?? []) follow(run);
  changed(run.conversationId);
}

/** The conversation is another now; with `messages`, what was said in it is, too. */
export function changed(id, { messages = false } = {}) {
  const conversation = tree.conversations.get(id);
  for (const { say } of watchers.get(id) ?? []) {
    if (messages) say({ type: 'messages' });
    say(conversation ? { type: 'conversation', conversation } : { type: 'deleted' });
  }
}

/** The feed as a stream for `EventSource`. */
export function stream(conversation, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  const leave = watch(conversation, event => response.write(`data: ${JSON.stringify(event)}\n\n`), false);
  response.on('close', leave);
}
