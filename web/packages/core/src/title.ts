/** The name that a conversation gets from its first message, until somebody gives it a better one. */

const LONGEST = 60;

export function titleFrom(content: string): string {
  const line = content
    .replace(/[#>*`_~]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= LONGEST) return line;
  const cut = line.slice(0, LONGEST);
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > LONGEST / 2 ? cut.slice(0, lastSpace) : wholeCharacters(cut)}…`;
}

/** A cut may have split a surrogate pair; its first half alone is not a character. */
function wholeCharacters(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}
