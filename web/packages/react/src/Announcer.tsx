/** Reads a growing answer to screen readers: politely, and in whole sentences rather than word by word. */
import { useEffect, useRef, useState } from 'react';
import { useTexts } from './context.js';

export interface AnnouncerProps {
  /** The answer so far; null while none is being written. */
  readonly content: string | null;
}

interface Said {
  readonly id: number;
  readonly text: string;
}

/** Enough to be worth an interruption. */
const LEAST = 80;
const KEPT = 4;

export function Announcer({ content }: AnnouncerProps) {
  const texts = useTexts();
  const [said, setSaid] = useState<readonly Said[]>([]);
  const last = useRef<string | null>(null);
  const spoken = useRef(0);

  useEffect(() => {
    const say = (text: string) => {
      const plain = withoutMarks(text);
      if (plain === '') return;
      setSaid(before => [...before.slice(-KEPT + 1), { id: (before.at(-1)?.id ?? 0) + 1, text: plain }]);
    };
    if (content === null && last.current !== null) {
      say(last.current.slice(spoken.current));
      say(texts.answered);
    } else if (content !== null && last.current === null) {
      spoken.current = 0;
      say(texts.writing);
    }
    if (content !== null) {
      spoken.current = Math.min(spoken.current, content.length);
      const end = endOfSpeech(content, spoken.current);
      if (end > spoken.current) {
        say(content.slice(spoken.current, end));
        spoken.current = end;
      }
    }
    last.current = content;
  }, [content, texts]);

  return (
    <div className="prosa-hidden" role="log" aria-live="polite" aria-relevant="additions">
      {said.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}

/** The end of the last whole sentence, once enough has gathered since the last one that was read. */
function endOfSpeech(content: string, from: number): number {
  const waiting = content.slice(from);
  const end = Math.max(waiting.lastIndexOf('\n'), waiting.lastIndexOf('. '), waiting.lastIndexOf('? '));
  return end + 1 >= LEAST ? from + end + 1 : from;
}

function withoutMarks(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[#*_`>|~]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
