/** The mock server's export, slow enough to be watched, and its import. */
import { setTimeout as pause } from 'node:timers/promises';
import * as tree from './tree.mjs';

const TYPES = {
  json: 'application/json',
  markdown: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};
const SUFFIXES = { json: 'json', markdown: 'md', html: 'html', csv: 'csv' };

/** Writes conversations in a format, one after the other. */
export async function write(response, conversations, format) {
  const name = conversations.length === 1 ? 'conversation' : 'conversations';
  response.writeHead(200, {
    'Content-Type': TYPES[format],
    'Content-Disposition': `attachment; filename="prosa-${name}.${SUFFIXES[format]}"`,
    'X-Total-Conversations': String(conversations.length),
  });
  if (format === 'json') response.write('{"format":"prosa","version":1,"conversations":[');
  for (const [place, conversation] of conversations.entries()) {
    await pause(150);
    response.write(`${format === 'json' && place > 0 ? ',' : ''}\n${told(conversation, format)}`);
  }
  response.end(format === 'json' ? '\n]}\n' : '\n');
}

function told(conversation, format) {
  const messages = tree.branch(conversation.headId);
  if (format === 'json') return JSON.stringify({ ...conversation, messages });
  return [`# ${conversation.title}`, ...messages.map(({ role, content }) => `**${role}**: ${content}`)].join(
    '\n\n',
  );
}

/** Reads a file of conversations; one without a title can't be told apart from rubbish. */
export async function read(response, text) {
  const { conversations = [] } = JSON.parse(text);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const tell = line => response.write(`${JSON.stringify(line)}\n`);
  const done = { imported: 0, skipped: 0, messages: 0, failed: [] };
  for (const { messages = [], ...conversation } of conversations) {
    await pause(150);
    if (tree.conversations.has(conversation.id)) done.skipped += 1;
    else if (!conversation.title) done.failed.push({ id: conversation.id, reason: 'title is missing.' });
    else {
      tree.conversations.set(conversation.id, conversation);
      for (const message of messages) tree.messages.set(message.id, message);
      done.imported += 1;
      done.messages += messages.length;
    }
    tell({ type: 'progress', conversations: done.imported, messages: done.messages });
  }
  tell({ type: 'done', ...done });
  response.end();
}
