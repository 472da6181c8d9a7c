/** Cuts Markdown into pieces that can be rendered alone, so that a growing text is parsed anew only at its end. */

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const LIST_ITEM = /^(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
/** A definition may be used anywhere in the text, so a text with one stays whole. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * The pieces, which joined by a line break give the text again. A piece begins after an empty line, outside of
 * fenced code, with a line that can belong to nothing before it: not indented, and no further item of a list.
 */
export function blocks(text: string): readonly string[] {
  if (DEFINITION.test(text)) return [text];
  const pieces: string[] = [];
  let piece: string[] = [];
  let fence: string | null = null;
  let afterEmptyLine = false;
  for (const line of text.split('\n')) {
    if (afterEmptyLine && fence === null && begins(line, piece)) {
      pieces.push(piece.join('\n'));
      piece = [];
    }
    piece.push(line);
    fence = fenceAfter(line, fence);
    afterEmptyLine = line.trim() === '';
  }
  pieces.push(piece.join('\n'));
  return pieces;
}

function begins(line: string, piece: readonly string[]): boolean {
  if (!/^\S/.test(line)) return false;
  return !(LIST_ITEM.test(line) && LIST_ITEM.test(piece.find(other => other.trim() !== '') ?? ''));
}

/** The fence that is open after a line, given the one open before it. */
function fenceAfter(line: string, open: string | null): string | null {
  const [, mark = '', rest = ''] = FENCE.exec(line) ?? [];
  if (mark === '') return open;
  if (open === null) return mark.startsWith('`') && rest.includes('`') ? null : mark;
  const closes = mark[0] === open[0] && mark.length >= open.length && rest.trim() === '';
  return closes ? null : open;
}
