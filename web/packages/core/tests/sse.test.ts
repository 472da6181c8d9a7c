/** The parser against the stream format, cut at every place where a network can cut it. */
import { describe, expect, it, vi } from 'vitest';
import { SseParser, sseBlocks } from '../src/index.js';

function parse(chunks: readonly string[]) {
  const parser = new SseParser();
  return chunks.flatMap(chunk => parser.push(chunk));
}

const STREAM = [
  '\uFEFF: ping\n\n',
  'data: {"content":"olá 👋","seq":1}\n\n',
  'id: 2\r\nevent: note\r\ndata: first\r\ndata:second\r\n\r\n',
  'data\r\rdata:  two spaces\r\r',
  'id: bad\0id\nretry: 10\nunknown: x\ndata: last\n\n',
  'data: unfinished',
].join('');

const BLOCKS = [
  { event: 'message', data: '{"content":"olá 👋","seq":1}', id: undefined },
  { event: 'note', data: 'first\nsecond', id: '2' },
  { event: 'message', data: '', id: '2' },
  { event: 'message', data: ' two spaces', id: '2' },
  { event: 'message', data: 'last', id: '2' },
];

describe('SseParser', () => {
  it('reads every field and every kind of line end, and drops what is unfinished', () => {
    expect(parse([STREAM])).toEqual(BLOCKS);
  });

  it('reads the same wherever the text is cut in two', () => {
    for (let at = 0; at <= STREAM.length; at += 1) {
      expect(parse([STREAM.slice(0, at), STREAM.slice(at)])).toEqual(BLOCKS);
    }
  });

  it('reads the same in single characters, with empty chunks between', () => {
    expect(parse(Array.from(STREAM.split(''), character => [character, '']).flat())).toEqual(BLOCKS);
  });

  it('gives a block as soon as its empty line is known', () => {
    const parser = new SseParser();
    expect(parser.push('data: a\r\n\r')).toHaveLength(1);
    expect(parser.push('\ndata: b\n\n')).toEqual([{ event: 'message', data: 'b', id: undefined }]);
  });
});

describe('sseBlocks', () => {
  const bytes = new TextEncoder().encode(STREAM);

  function body(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  }

  it('puts characters together that were cut between their bytes', async () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      const blocks = [];
      for await (const block of sseBlocks(body([bytes.slice(0, at), bytes.slice(at)]))) blocks.push(block);
      expect(blocks).toEqual(BLOCKS);
    }
  });

  it('lets go of the body when its reader leaves', async () => {
    const cancelled = vi.fn();
    const endless = new ReadableStream<Uint8Array>({
      pull: controller => controller.enqueue(bytes),
      cancel: cancelled,
    });
    for await (const block of sseBlocks(endless)) {
      expect(block.data).toContain('content');
      break;
    }
    expect(cancelled).toHaveBeenCalled();
  });
});
