/** JSON laid out for reading, token by token: numbers, keys and their order stay exactly what they were. */

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+/g;
const OPENING = /^[[{]$/;
const CLOSING = /^[\]}]$/;
/**
 * Characters that cannot be seen or change the order of others, except those that join emoji and letters: in a text
 * to be judged they stand as what they are.
 */
const UNSEEN = /(?![\t\n\r\u200C\u200D])[\p{Cc}\p{Cf}]/gu;

/** The text with indents where it is a whole JSON object or list, else as it is. */
export function pretty(text: string): string {
  return isWhole(text) ? laidOut(text.match(TOKENS) ?? []) : text;
}

/** The text with every unseen character written as JSON writes it. */
export function seen(text: string): string {
  return text.replace(UNSEEN, each => each.split('').map(escaped).join(''));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function isWhole(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function laidOut(tokens: readonly string[]): string {
  let depth = 0;
  let before = '';
  let out = '';
  for (const token of tokens) {
    if (CLOSING.test(token)) depth -= 1;
    out += gap(before, token, depth) + token;
    if (OPENING.test(token)) depth += 1;
    before = token;
  }
  return out;
}

function gap(before: string, token: string, depth: number): string {
  if (OPENING.test(before) && CLOSING.test(token)) return '';
  if (OPENING.test(before) || before === ',' || CLOSING.test(token)) return `\n${'  '.repeat(depth)}`;
  return before === ':' ? ' ' : '';
}
