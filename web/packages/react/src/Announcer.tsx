/** Reads a growing answer to screen readers: politely, and in whole sentences rather than word by word. */
import { useEffect, useRef, useState } from 'react';
import { useTexts } from './context.js';

export interface AnnouncerProps {
  /** The last answer, as far as it is written. */
  readonly content: string;
  readonly writing: boolean;
}

interface Said {
  readonly id: number;
  readonly text: string;
}

/** Enough to be worth an interruption. */
const LEAST = 80;
const KEPT = 4;

export function Announcer({ content, writing }: AnnouncerProps) {
  const texts = useTexts();
  const [said, setSaid] = useState<readonly Said[]>([]);
  const wasWriting = useRef(false);
  const spoken = useRef(0);

  useEffect(() => {
    const say = (text: string) => {
      const plain = withoutMarks(text);
      if (plain === '') return;
      setSaid(before => [...before.slice(-KEPT + 1), { id: (before.at(-1)?.id ?? 0) + 1, text: plain }]);
    };
    const ended = wasWriting.current && !writing;
    if (writing && !wasWriting.current) {
      spoken.current = 0;
      say(texts.writing);
    }
    wasWriting.current = writing;
    if (!(writing || ended)) return;
    // A reset takes back what was written.
    spoken.current = Math.min(spoken.current, content.length);
    const end = ended ? content.length : endOfSpeech(content, spoken.current);
    say(content.slice(spoken.current, end));
    spoken.current = end;
    if (ended) say(texts.answered);
  }, [content, writing, texts]);

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
