/** What the mock server keeps beside the conversations: files, prompt templates, opinions on answers. */
import { randomUUID } from 'node:crypto';

export const files = new Map();
export const templates = new Map();

const KINDS = [
  [/^\x89PNG/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8/, 'image/gif'],
  [/^RIFF....WEBP/s, 'image/webp'],
  [/^%PDF-/, 'application/pdf'],
  [/^[\t\n\r\x20-\x7e\x80-\xff]+$/, 'text/plain'],
];

/** Keeps the one file of a multipart body; null where it is of a kind that is not taken. */
export function keep(body) {
  const text = body.toString('latin1');
  const [head] = text.split('\r\n\r\n', 1);
  const [boundary] = head.split('\r\n', 1);
  const data = body.subarray(head.length + 4, text.lastIndexOf(`\r\n${boundary}--`));
  const kind = KINDS.find(([beginning]) => beginning.test(data.toString('latin1')));
  if (!kind) return null;
  const [, mediaType] = kind;
  const name = Buffer.from(/filename="([^"]*)"/.exec(head)?.[1] ?? 'file', 'latin1').toString();
  const file = {
    id: randomUUID(),
    name,
    mediaType,
    kind: mediaType.startsWith('image/') ? 'image' : 'document',
    size: data.length,
    conversationId: null,
    createdAt: new Date().toISOString(),
  };
  files.set(file.id, { ...file, data });
  return file;
}

export function content(response, { data, mediaType, name }) {
  response.writeHead(200, {
    'Content-Type': mediaType,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(data);
}

/** The parts that stand for files in a message. */
export function partsOf(ids = []) {
  return ids
    .map(id => files.get(id))
    .filter(Boolean)
    .map(({ id, name, mediaType, size }) => ({
      type: 'media',
      fileId: id,
      name,
      mediaType,
      size,
      url: null,
    }));
}

export function addTemplate(given) {
  const now = new Date().toISOString();
  const template = {
    id: randomUUID(),
    description: null,
    variables: [],
    shared: false,
    clientId: null,
    ...given,
    createdAt: now,
    updatedAt: now,
  };
  templates.set(template.id, template);
  return template;
}

/** The text with the values in their places, each once and as it is. */
export function fill(template, values = {}) {
  const known = new Map(
    template.variables.map(({ name, default: preset }) => [name, values[name] ?? preset ?? '']),
  );
  const text = template.content.replace(/\{\{\s*([\p{L}_][\p{L}\p{N}_]*)\s*\}\}/gu, (place, name) =>
    known.has(name) ? String(known.get(name)) : place,
  );
  return { text };
}

addTemplate({
  name: 'First answer',
  description: 'To somebody who has just written',
  content: 'Write a {{tone}} first answer to {{customer}}. Answer before {{until}}.',
  variables: [
    {
      name: 'tone',
      label: null,
      type: 'choice',
      required: true,
      default: 'kind',
      choices: ['kind', 'short'],
    },
    { name: 'customer', label: 'Who asks', type: 'text', required: true, default: null, choices: [] },
    { name: 'until', label: null, type: 'date', required: false, default: null, choices: [] },
  ],
});
addTemplate({ name: 'Explain it simply', content: 'Explain this as to somebody of twelve years:\n\n' });
