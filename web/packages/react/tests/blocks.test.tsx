/** Cutting Markdown into pieces changes nothing of what it means. */
import { cleanup, render } from '@testing-library/react';
import ReactMarkdown from 'react-markdown';
import { afterEach, describe, expect, it } from 'vitest';
import { blocks } from '../src/blocks.js';
import { readGfm } from '../src/gfm.js';

afterEach(cleanup);

const TEXTS = [
  '# One\n\ntext\n\n\n\nmore\n',
  '- a\n\n- b\n\n  still b\n\n- c\n\nafter\n\n1. x\n\n2. y',
  '```py\na\n\n\nb\n```\n\n~~~\n```\n\n~~~\n\nend',
  '````\n```\n\n```\n\n````\n\nend',
  '> quote\n\n> another\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\ntext',
  'see [it][1]\n\nand\n\n[1]: https://example.org/',
  '    code\n\n    more code\n\ntext\n---\n\n***\n\nlast',
  'a `b`\n\n```unclosed\n\ncode goes on',
  '1. one\n\n   ```js\n   x\n\n   y\n   ```\n\n2. two',
  '``` not`a fence\n\ntext',
];

function html(text: string): string {
  const { container } = render(<ReactMarkdown remarkPlugins={[readGfm]}>{text}</ReactMarkdown>);
  return container.innerHTML.replace(/\n/g, '');
}

describe('blocks', () => {
  it.each(TEXTS)('renders the same as the whole: %j', text => {
    const pieces = blocks(text);
    expect(pieces.join('\n')).toBe(text);
    expect(pieces.map(html).join('')).toBe(html(text));
  });

  it('leaves what stands before the end as it was while the text grows', () => {
    const text = 'One\n\nTwo\n\n```\ncode\n```\n\nThree';
    for (let end = 1; end < text.length; end += 1) {
      const now = blocks(text.slice(0, end));
      const settled = now.slice(0, -1).map(piece => piece.trimEnd());
      const whole = blocks(text).map(piece => piece.trimEnd());
      expect(whole.slice(0, settled.length)).toEqual(settled);
    }
  });
});
