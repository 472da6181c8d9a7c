/** A text that grows looks the way it will look, as far as that can be told. */
import { describe, expect, it } from 'vitest';
import { completed } from '../src/tail.js';

describe('completed', () => {
  it.each([
    ['See [the spec', 'See the spec'],
    ['See [the spec]', 'See the spec'],
    ['See [the spec](https://exam', 'See the spec'],
    ['See [the spec](https://example.org)', 'See [the spec](https://example.org)'],
    ['An image: ![a c', 'An image: a c'],
    ['This is **ver', 'This is **ver**'],
    ['This is **very ', 'This is **very**'],
    ['This is **', 'This is '],
    ['This is **very*', 'This is **very**'],
    ['This is **very** good', 'This is **very** good'],
    ['Call `run', 'Call `run`'],
    ['Call `', 'Call '],
    ['Call `a[0', 'Call `a[0`'],
    ['A paragraph\n-', 'A paragraph\n'],
    ['A paragraph\n- item', 'A paragraph\n- item'],
    ['done **\nnext', 'done **\nnext'],
    ['```\nlet a = [1', '```\nlet a = [1'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(completed(text)).toBe(expected);
  });
});
