/** Completes what a growing Markdown text has only begun, so that its last line does not change its look with every word. */

const FENCED = /^ {0,3}(?:`{3}|~{3})/m;
const HALF_LINK = /!?\[([^[\]\n]*)(?:\](?:\([^()\n]*)?)?$/;
/** A dash or two under a paragraph would make a heading of it; most often a list is about to begin. */
const HALF_RULE = /^ {0,3}(?:-+|=+|[*+])[ \t]*$/;

/** The text as it would most likely look if it ended well here. Only for the last piece of a text that grows. */
export function completed(text: string): string {
  if (FENCED.test(text)) return text;
  const start = text.lastIndexOf('\n') + 1;
  const line = text.slice(start);
  if (HALF_RULE.test(line)) return text.slice(0, start);
  return text.slice(0, start) + completedLine(line);
}

function completedLine(line: string): string {
  if (count(line, '`') % 2 === 1) return closed(line, '`');
  const linked = line.replace(HALF_LINK, '$1');
  if (count(linked, '**') % 2 === 0) return linked;
  // The first of two closing stars may have come alone.
  return closed(linked.replace(/([^*])\*$/, '$1'), '**');
}

/** Closes a mark, or drops it where nothing has followed it yet. */
function closed(line: string, mark: string): string {
  const text = line.trimEnd();
  return text.endsWith(mark) ? text.slice(0, -mark.length) : text + mark;
}

function count(line: string, mark: string): number {
  return line.split(mark).length - 1;
}
