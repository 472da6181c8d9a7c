/** Reads server-sent events out of a byte stream, wherever the network happened to cut it. */

const BOM = '\uFEFF';
const END_OF_LINE = /[\r\n]/g;

export interface SseBlock {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/**
 * An incremental parser of the `text/event-stream` format (WHATWG HTML, section 9.2.6).
 * Feed it text as it comes; each call returns the blocks that the text completed.
 */
export class SseParser {
  #line = '';
  #atStart = true;
  #afterCarriageReturn = false;
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  push(chunk: string): SseBlock[] {
    const blocks: SseBlock[] = [];
    const text = this.#joined(chunk);
    let start = 0;
    for (let at = endOfLine(text, start); at !== -1; at = endOfLine(text, start)) {
      const block = this.#take(this.#line + text.slice(start, at));
      if (block) blocks.push(block);
      this.#line = '';
      start = at + (text.startsWith('\r\n', at) ? 2 : 1);
    }
    this.#line += text.slice(start);
    this.#afterCarriageReturn = text === '' ? this.#afterCarriageReturn : text.endsWith('\r');
    return blocks;
  }

  /** The chunk without what belongs to the start of the stream or to the line end before it. */
  #joined(chunk: string): string {
    if (chunk === '') return chunk;
    const isRest = this.#afterCarriageReturn
      ? chunk.startsWith('\n')
      : this.#atStart && chunk.startsWith(BOM);
    this.#atStart = false;
    this.#afterCarriageReturn = false;
    return isRest ? chunk.slice(1) : chunk;
  }

  /** Takes one whole line; returns the block that an empty line closes. */
  #take(line: string): SseBlock | null {
    if (line === '') return this.#close();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const name = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #close(): SseBlock | null {
    const block =
      this.#data.length > 0
        ? { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }
        : null;
    this.#data = [];
    this.#event = '';
    return block;
  }
}

function endOfLine(text: string, from: number): number {
  END_OF_LINE.lastIndex = from;
  return END_OF_LINE.exec(text)?.index ?? -1;
}

/**
 * The blocks of a response's body. Anything that arrives, also a ping, calls `onBytes`.
 * Leaving the loop cancels the body.
 */
export async function* sseBlocks(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<SseBlock, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // A body that broke has nothing left to cancel.
    await reader.cancel().catch(() => {});
  }
}
